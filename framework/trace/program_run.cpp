#include "framework/trace/program_run.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "framework/trace/json_field.hpp"

namespace forkloom {
namespace {

namespace field = json_field;

constexpr std::string_view separator = "::";

// The room that a task has for its name, without a number.
constexpr std::size_t name_size_max = 24;

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Does that program run a script that it is given?
bool is_interpreter(std::string_view program) {
  constexpr std::array<std::string_view, 5> others{"sh", "bash", "dash", "perl", "env"};
  return program.starts_with("python") ||
         std::find(others.begin(), others.end(), program) != others.end();
}

std::string name_of(const std::vector<std::string>& command) {
  auto name = base_name(command.front());
  if (is_interpreter(name) && command.size() > 1 && !command[1].starts_with('-'))
    name = base_name(command[1]);
  return std::string(name.substr(0, name_size_max));
}

std::string quoted_command(const std::vector<std::string>& command) {
  std::string text;
  for (const auto& word : command) text += (text.empty() ? "" : " ") + quoted_for_shell(word);
  return text;
}

std::string option(std::string_view name, const std::string& value) {
  return value.empty() ? "" : fmt::format(" --{} {}", name, quoted_for_shell(value));
}

std::vector<std::string> texts(const nlohmann::json& json, const char* key) {
  return field::elements_at(json, key, [&](const auto& value) { return field::text(value, key); });
}

}  // namespace

std::vector<std::vector<std::string>> split_commands(std::span<const std::string> words) {
  if (words.empty())
    throw usage_error("there is no program after '--': forkloom run -- PROGRAM ARGUMENTS");
  std::vector<std::vector<std::string>> commands(1);
  for (const auto& word : words) {
    if (word == separator)
      commands.emplace_back();
    else
      commands.back().push_back(word);
  }
  for (const auto& command : commands)
    if (command.empty() || command.front().empty())
      throw usage_error(
          "a program is missing beside '::', which stands between programs: "
          "forkloom run -- ./server 5000 :: ./client 5000");
  return commands;
}

std::string quoted_for_shell(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:=,+@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string scenario_name(const program_run& run) {
  std::string text;
  for (const auto& command : run.commands)
    text += (text.empty() ? "" : " :: ") + quoted_command(command);
  return text;
}

std::string replay_arguments(const program_run& run) {
  std::string text;
  if (!run.exit_codes.empty())
    text += fmt::format(" --expect-exit {}", fmt::join(run.exit_codes, ","));
  for (const auto& output : run.expected_output) text += option("expect-output", output);
  for (const auto& output : run.forbidden_output) text += option("forbid-output", output);
  text += option("setup", run.setup) + option("check", run.check) + option("cleanup", run.cleanup);
  return text + " -- " + scenario_name(run);
}

std::vector<std::string> task_names(const program_run& run) {
  std::vector<std::string> names;
  std::map<std::string, unsigned> uses;
  for (const auto& command : run.commands) ++uses[names.emplace_back(name_of(command))];
  std::map<std::string, unsigned> numbers;
  for (auto& name : names)
    if (uses[name] > 1) name += fmt::format(" {}", numbers[name]++);
  return names;
}

int expected_exit(const program_run& run, std::size_t number) {
  if (run.exit_codes.empty()) return 0;
  return run.exit_codes[run.exit_codes.size() == 1 ? 0 : number];
}

void to_json(nlohmann::json& json, const program_run& run) {
  json = {{"commands", run.commands},
          {"expect_exit", run.exit_codes},
          {"expect_output", run.expected_output},
          {"forbid_output", run.forbidden_output},
          {"setup", run.setup},
          {"check", run.check},
          {"cleanup", run.cleanup},
          {"directory", run.directory}};
}

void from_json(const nlohmann::json& json, program_run& run) {
  run.commands = field::elements_at(json, "commands", [](const auto& words) {
    if (!words.is_array() || words.empty())
      field::refuse("commands", "must be arrays of a program and its arguments");
    std::vector<std::string> command;
    for (const auto& word : words) command.push_back(field::text(word, "commands"));
    return command;
  });
  if (run.commands.empty()) field::refuse("commands", "is empty");
  run.exit_codes = field::elements_at(json, "expect_exit", [](const auto& code) {
    return static_cast<int>(field::integer<std::uint8_t>(code, "expect_exit"));
  });
  run.expected_output = texts(json, "expect_output");
  run.forbidden_output = texts(json, "forbid_output");
  run.setup = field::text_at(json, "setup");
  run.check = field::text_at(json, "check");
  run.cleanup = field::text_at(json, "cleanup");
  run.directory = field::text_at(json, "directory");
  if (run.exit_codes.size() > 1 && run.exit_codes.size() != run.commands.size())
    field::refuse("expect_exit", "must be one code, or one for each program");
}

}  // namespace forkloom

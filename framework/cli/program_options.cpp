#include "framework/cli/program_options.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "forkloom/error.hpp"
#include "framework/cli/numbers.hpp"

namespace forkloom::cli {
namespace {

constexpr int exit_code_max = 255;

std::vector<int> exit_codes(const std::string& text) {
  std::vector<int> codes;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    codes.push_back(static_cast<int>(
        parse_number("--expect-exit", text.substr(at, end - at), 0, exit_code_max)));
    at = end + 1;
  }
  return codes;
}

// An empty command would pass for none, and an empty text stands in every output.
std::string not_empty(const char* option, const std::string& text) {
  if (text.empty()) throw usage_error(fmt::format("{} is empty", option));
  return text;
}

std::string command(const char* option, const std::optional<std::string>& text) {
  return text ? not_empty(option, *text) : "";
}

const char* first_given(const program_texts& texts) {
  if (texts.expect_exit) return "--expect-exit";
  if (texts.setup) return "--setup";
  if (texts.check) return "--check";
  if (texts.cleanup) return "--cleanup";
  if (!texts.expect_output.empty()) return "--expect-output";
  if (!texts.forbid_output.empty()) return "--forbid-output";
  return nullptr;
}

}  // namespace

void add_program_options(CLI::App& app, program_texts& texts) {
  const char* const group = "For programs (after --)";
  app.add_option("--expect-exit", texts.expect_exit,
                 "What programs shall exit with: one code, or one for each with commas")
      ->type_name("CODE")
      ->group(group);
  app.add_option("--expect-output", texts.expect_output, "One of them must write that; repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--forbid-output", texts.forbid_output, "None may write that; repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--setup", texts.setup, "Shell command before each execution")
      ->type_name("CMD")
      ->group(group);
  app.add_option("--check", texts.check, "Shell command after each that ended; must exit with 0")
      ->type_name("CMD")
      ->group(group);
  app.add_option("--cleanup", texts.cleanup, "Shell command after each, however it went")
      ->type_name("CMD")
      ->group(group);
}

std::optional<program_run> programs_of(const program_texts& texts,
                                       const std::optional<std::vector<std::string>>& words) {
  if (!words) {
    if (const char* option = first_given(texts); option != nullptr)
      throw usage_error(fmt::format(
          "{} is for programs, which follow '--': forkloom run {} … -- PROGRAM", option, option));
    return std::nullopt;
  }
  program_run run;
  run.commands = split_commands(*words);
  if (texts.expect_exit) run.exit_codes = exit_codes(*texts.expect_exit);
  for (const auto& text : texts.expect_output)
    run.expected_output.push_back(not_empty("--expect-output", text));
  for (const auto& text : texts.forbid_output)
    run.forbidden_output.push_back(not_empty("--forbid-output", text));
  run.setup = command("--setup", texts.setup);
  run.check = command("--check", texts.check);
  run.cleanup = command("--cleanup", texts.cleanup);
  run.directory = std::filesystem::current_path().string();
  return run;
}

}  // namespace forkloom::cli

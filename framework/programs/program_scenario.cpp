#include "framework/programs/program_scenario.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "forkloom/error.hpp"
#include "forkloom/scenario.hpp"
#include "framework/execution/program.hpp"
#include "framework/execution/stop.hpp"
#include "framework/programs/find_program.hpp"
#include "framework/programs/shell_command.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::programs {
namespace {

struct program {
  std::string name;  // of the task
  std::string path;
  std::vector<std::string> words;  // as it sees them, its own name first
};

// What the body of the scenario works with; it lives as long as the scenario.
struct plan {
  program_run run;
  std::vector<program> programs;
  std::string trouble;  // what went wrong with the clean-up of the current execution
};

std::string told(const std::string& option, const std::string& command, const shell_result& done) {
  const auto line = done.output.substr(0, done.output.find('\n'));
  return fmt::format("--{} '{}' ended with {}{}{}", option, command, done.how,
                     line.empty() ? "" : ": ", line);
}

void set_up(const plan& p) {
  if (p.run.setup.empty()) return;
  if (const auto done = run_shell(p.run.setup); !done.success)
    throw std::runtime_error(told("setup", p.run.setup, done));
}

void check(const plan& p) {
  const auto done = run_shell(p.run.check);
  if (!done.success)
    execution::stop_execution(failure_record::what::expectation, "", 0,
                              told("check", p.run.check, done));
}

// Runs the clean-up when the execution is over, however it went.
class cleanup {
 public:
  explicit cleanup(plan& p) noexcept : plan_(p) {}
  ~cleanup() {
    if (plan_.run.cleanup.empty()) return;
    if (const auto done = run_shell(plan_.run.cleanup); !done.success)
      plan_.trouble = told("cleanup", plan_.run.cleanup, done);
  }
  cleanup(const cleanup&) = delete;
  cleanup& operator=(const cleanup&) = delete;

 private:
  plan& plan_;
};

// In the task: the process becomes the program.
[[noreturn]] void become(const program& p) noexcept {
  std::vector<char*> words;
  for (const auto& word : p.words) words.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  words.push_back(nullptr);
  const auto error = execution::execute_program(AT_FDCWD, p.path.c_str(), words.data(), environ, 0,
                                                execution::program_called(p.path.c_str()), nullptr);
  fmt::print(stderr, "forkloom: cannot run {}: {}\n", p.path, std::strerror(error));
  std::fflush(nullptr);
  ::_exit(127);
}

bool wrote(const trace& what, const std::string& text) {
  return std::any_of(what.tasks.begin(), what.tasks.end(), [&](const task_record& task) {
    return task.output.find(text) != std::string::npos;
  });
}

void judge_output(const program_run& run, trace& what) {
  const auto fail = [&](std::string text) {
    what.failures.push_back({.step = what.steps, .text = std::move(text)});
  };
  for (const auto& text : run.expected_output)
    if (!wrote(what, text)) fail(fmt::format("no program wrote \"{}\"", text));
  for (const auto& text : run.forbidden_output)
    for (const auto& task : what.tasks)
      if (task.output.find(text) != std::string::npos)
        fail(fmt::format("{} wrote \"{}\"", task.name, text));
}

void examine(const plan& p, trace& what) {
  // A program may leave files: that is what most are for. Those of this execution are gone, so that
  // the next one begins like it.
  what.leftovers.clear();
  for (std::size_t i = 0; i < what.tasks.size() && i < p.programs.size(); ++i) {
    auto& end = what.tasks[i].end;
    end.expected_code = expected_exit(p.run, i);
    if (end.kind == task_end::how::exited) end.allowed = end.code == end.expected_code;
  }
  if (what.how == ending::finished) judge_output(p.run, what);
  if (p.trouble.empty() || what.how == ending::failed) return;
  what.how = ending::failed;
  what.detail = p.trouble;
}

void declare(plan& p, scenario& scenario) {
  p.trouble.clear();
  set_up(p);
  scenario.make<cleanup>("clean-up", p);
  for (const auto& program : p.programs) scenario.process(program.name, [&] { become(program); });
  if (!p.run.check.empty()) scenario.finally([&] { check(p); });
}

std::vector<program> programs_of(const program_run& run) {
  std::vector<program> all;
  const auto names = task_names(run);
  for (std::size_t i = 0; i < names.size(); ++i)
    all.push_back({names[i], find_program(run.commands[i].front()), run.commands[i]});
  return all;
}

}  // namespace

void require_programs(const program_run& run) {
  for (const auto& command : run.commands) require_program(find_program(command.front()));
  if (run.exit_codes.size() > 1 && run.exit_codes.size() != run.commands.size())
    throw usage_error(
        fmt::format("--expect-exit has {} codes for {} programs; name one for all, "
                    "or one for each",
                    run.exit_codes.size(), run.commands.size()));
}

scenario_info scenario_of(const program_run& run) {
  const auto shared = std::make_shared<plan>(plan{run, programs_of(run), {}});
  scenario_info info;
  info.name = scenario_name(run);
  info.body = [shared](scenario& scenario) { declare(*shared, scenario); };
  info.examine = [shared](trace& what) { examine(*shared, what); };
  return info;
}

}  // namespace forkloom::programs

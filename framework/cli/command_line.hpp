// The command line as values. Nothing here runs or prints anything.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "forkloom/options.hpp"
#include "framework/trace/program_run.hpp"

namespace forkloom::cli {

// Options of a run as they were typed; absent ones leave what the scenario and environment say.
struct option_texts {
  std::optional<std::string> executions, seed, strategy, time, processes, checkers, step_limit,
      progress_limit, hang_limit, bypass_max, replays, shrink_budget, faults, timeouts;
  std::vector<std::string> suppress;
  std::string suppressions;  // the path of a file; empty: none
  bool keep_going = false;
  bool no_shrink = false;
  bool until_saturated = false;
  bool progress = false;
};

// The options with those of the command line put in. Throws usage_error for one out of range.
[[nodiscard]] options overridden(options how, const option_texts& texts);

// The environment variables that an option was given in place of: what they say does not matter.
[[nodiscard]] std::set<std::string_view> overridden_variables(const option_texts& texts);

struct list_request {
  std::vector<std::string> patterns;
  bool json = false;
};

struct run_request {
  std::vector<std::string> patterns;
  std::optional<program_run> programs;  // instead of patterns
  option_texts how;
  std::string save;    // directory for failure files; empty: none
  std::string hashes;  // file for the trace hash of each execution; empty: none
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

struct replay_request {
  std::string what;  // a token, or the path of a failure file
  std::optional<program_run> programs;
  bool json = false;
  bool verbose = false;
};

struct show_checkers {};
struct show_strategies {};
struct show_faults {};

// To be printed on stdout as it is: help, the version.
struct show_text {
  std::string text;
};

using any_request = std::variant<list_request, run_request, replay_request, show_checkers,
                                 show_strategies, show_faults, show_text>;

// Throws usage_error, which says what was wrong and where the help is.
[[nodiscard]] any_request parse_command_line(int argc, const char* const* argv);

}  // namespace forkloom::cli

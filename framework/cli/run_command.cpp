// run: campaigns over the selected scenarios, one after the other.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>

#include "forkloom/error.hpp"
#include "framework/cli/command.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/selection.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "framework/programs/program_scenario.hpp"
#include "framework/report/json.hpp"
#include "framework/report/text.hpp"
#include "framework/trace/failure_file.hpp"
#include "framework/trace/fault_plan.hpp"

namespace forkloom::cli {
namespace {

// What `parse` makes of the variable's text; a complaint names the variable. Nothing if it is unset
// or empty.
template <class Parse>
auto from_environment(const char* variable, Parse parse)
    -> std::optional<decltype(parse(std::string()))> {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr || *text == '\0') return std::nullopt;
  try {
    return parse(std::string(text));
  } catch (const usage_error& error) {
    throw usage_error(fmt::format("{}: {}", variable, error.what()));
  }
}

// FORKLOOM_REPLAY, if it is set.
std::optional<replay_token> token_to_replay() {
  return from_environment("FORKLOOM_REPLAY", [](const std::string& text) { return decode(text); });
}

// An option stands above the variable, so a bad one does no harm then.
void check_environment(const std::set<std::string_view>& but_not) {
  const auto check = [&](const char* variable, auto parse) {
    if (!but_not.contains(variable)) (void)from_environment(variable, parse);
  };
  check("FORKLOOM_STRATEGY", explore::parse_strategy);
  check("FORKLOOM_FAULTS", parse_faults);
}

// The one scenario that the token is of, if it was selected; the others are skipped.
void keep_owner(std::vector<const scenario_info*>& selected, const replay_token& token) {
  std::erase_if(selected, [&](const scenario_info* scenario) {
    return scenario_hash(scenario->name) != token.scenario;
  });
  if (selected.empty())
    throw usage_error("FORKLOOM_REPLAY: the token is of none of the selected scenarios");
}

// A file name from a scenario's: letters and digits stay, all else becomes one '-'.
std::string slug(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain)
      text += c;
    else if (!text.empty() && text.back() != '-')
      text += '-';
  }
  return text;
}

// Two names may have the same slug; their hashes differ.
std::filesystem::path failure_path(const std::string& directory,
                                   const explore::campaign_result& result,
                                   const explore::finding& found) {
  return std::filesystem::path(directory) / fmt::format("{}-{:08x}-{}.json", slug(result.scenario),
                                                        scenario_hash(result.scenario),
                                                        found.execution);
}

void save(const explore::campaign_result& result, const std::string& directory,
          const std::optional<program_run>& programs) {
  for (const auto& found : result.findings) {
    const auto path = failure_path(directory, result, found);
    save_failure(path, {.token = found.token,
                        .scenario = result.scenario,
                        .violations = found.violations,
                        .what_happened = found.what_happened,
                        .programs = programs});
    fmt::print(stderr, "saved {}\n", path.string());
  }
}

void make_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error || !std::filesystem::is_directory(directory))
    throw usage_error(fmt::format("--save: cannot make the directory {}: {}", directory,
                                  error ? error.message() : "it is a file"));
}

// The file of --hashes, if there is one. It is open only while it is written: the processes of a
// scenario must not inherit it.
class hash_file {
 public:
  explicit hash_file(std::string path) : path_(std::move(path)) {
    if (!path_.empty() && !std::ofstream(path_))
      throw usage_error(fmt::format("--hashes: cannot write to {}", path_));
  }

  [[nodiscard]] bool wanted() const noexcept { return !path_.empty(); }

  // A line for each execution; docs/command.md describes it.
  void add(const explore::campaign_result& result) const {
    if (!wanted()) return;
    std::ofstream file(path_, std::ios::app);
    std::uint64_t number = 0;
    for (const auto& [seed, steps, hash] : result.hashes)
      file << fmt::format("{} {} {} {:016x} {}\n", number++, seed, steps, hash, result.scenario);
    if (!file.flush())
      throw internal_error(fmt::format("--hashes: cannot write to {}: is the disk full?", path_));
  }

 private:
  std::string path_;
};

// The lines of --suppressions, without the empty ones and those that begin with '#'.
std::vector<std::string> suppressions_in(const std::string& path) {
  std::vector<std::string> lines;
  if (path.empty()) return lines;
  std::ifstream file(path);
  if (!file) throw usage_error(fmt::format("--suppressions: cannot read {}", path));
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  return lines;
}

// What was expected is told in two lines when there is more than that one scenario to read about.
void print(const explore::campaign_result& result, const run_request& request, bool alone) {
  auto look = report::style_for(1);
  look.verbose = request.verbose;
  const bool expected = result.how == explore::verdict::as_expected;
  const bool in_full = request.verbose || (!request.quiet && (alone || !expected));
  if (in_full) {
    fmt::print("{}", report::full_report(result, look));
  } else {
    fmt::print("{}", report::summary(result, look));
    for (const auto& found : result.findings) fmt::print("{}", report::brief(found, look));
  }
  std::fflush(stdout);
}

// Faults that the command line asks for and none of the scenarios could have: that is a mistake. A
// campaign that ended with its first finding does not tell.
class unused_faults {
 public:
  explicit unused_faults(const option_texts& how)
      : asked_(how.faults.has_value()), keeps_going_(how.keep_going) {}

  void add(const explore::campaign_result& result) {
    asked_ &= result.findings.empty() || keeps_going_;
    for (const auto& fault : result.faults) {
      const auto known = std::find_if(all_.begin(), all_.end(),
                                      [&](const auto& one) { return one.name == fault.name; });
      if (known == all_.end())
        all_.push_back(fault);
      else
        known->chances += fault.chances;
    }
  }

  [[nodiscard]] int judged(int code) const {
    if (!asked_ || code != exit_code::as_expected) return code;
    for (const auto& fault : all_) {
      if (fault.chances != 0) continue;
      fmt::print(stderr, "forkloom: --faults: {} had no chance: it strikes {}\n", fault.name,
                 explore::where_it_strikes(fault));
      code = exit_code::usage;
    }
    return code;
  }

 private:
  bool asked_;
  bool keeps_going_;
  std::vector<explore::fault_count> all_;
};

// A scenario that brings its worker down takes nothing of the others with it: neither what they had
// found, nor their turn.
explore::campaign_result carry_out(const scenario_info& scenario, const options& how,
                                   const std::optional<replay_token>& token) {
  try {
    return token ? explore::replay(scenario, *token, how) : explore::run_campaign(scenario, how);
  } catch (const internal_error& error) {
    explore::campaign_result lost;
    lost.scenario = scenario.name;
    lost.strategy = how.strategy;
    lost.seed = how.seed;
    lost.expected = how.expects;
    lost.how = explore::verdict::error;
    lost.message = error.what();
    return lost;
  }
}

// 3 before 1 before 0.
int worse(int a, int b) noexcept { return std::max(a, b); }

}  // namespace

void add_replay_arguments(explore::campaign_result& result, const program_run& programs) {
  for (auto& found : result.findings) found.replay_arguments = replay_arguments(programs);
}

int exit_code_of(const explore::campaign_result& result) noexcept {
  switch (result.how) {
    case explore::verdict::as_expected:
      return exit_code::as_expected;
    case explore::verdict::violated:
      return exit_code::violation;
    case explore::verdict::error:
      break;
  }
  return exit_code::internal;
}

int run(const run_request& request) {
  std::optional<scenario_info> made;  // of programs
  if (request.programs) {
    programs::require_programs(*request.programs);
    made = programs::scenario_of(*request.programs);
  }
  auto selected =
      made ? std::vector<const scenario_info*>{&*made} : select(scenarios(), request.patterns);
  const auto token = token_to_replay();
  const auto not_asked = overridden_variables(request.how);
  check_environment(not_asked);
  if (token) keep_owner(selected, *token);
  if (!request.save.empty()) make_directory(request.save);
  const hash_file hashes(request.hashes);
  const auto suppressed = suppressions_in(request.how.suppressions);

  int code = exit_code::as_expected;
  std::vector<explore::campaign_result> results;
  unused_faults unused(request.how);
  for (const auto* scenario : selected) {
    auto how = overridden(explore::with_environment(scenario->defaults, not_asked), request.how);
    how.hashes = hashes.wanted();
    // What is expected is printed in two lines, unless it is all that there is to read.
    how.shrink =
        request.verbose || selected.size() == 1 ? shrink_what::everything : shrink_what::surprises;
    how.progress = how.progress || (!request.quiet && ::isatty(STDERR_FILENO) != 0);
    how.suppress.insert(how.suppress.end(), suppressed.begin(), suppressed.end());
    auto result = carry_out(*scenario, how, token);
    if (request.programs) add_replay_arguments(result, *request.programs);
    code = worse(code, exit_code_of(result));
    hashes.add(result);
    unused.add(result);
    if (!request.save.empty()) save(result, request.save, request.programs);
    if (!request.json) print(result, request, selected.size() == 1);
    if (request.json) results.push_back(result);
    if (explore::interrupting_signal() != 0) break;
  }
  if (request.json) fmt::print("{}\n", report::dump(report::results_json(results)));
  return unused.judged(code);
}

}  // namespace forkloom::cli

// run: campaigns over the selected scenarios, one after the other.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "forkloom/error.hpp"
#include "framework/cli/command.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/selection.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/report/json.hpp"
#include "framework/report/text.hpp"
#include "framework/trace/failure_file.hpp"

namespace forkloom::cli {
namespace {

// FORKLOOM_REPLAY, if it is set.
std::optional<replay_token> token_to_replay() {
  const char* text = std::getenv("FORKLOOM_REPLAY");  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr || *text == '\0') return std::nullopt;
  return decode(text);
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

void save(const explore::campaign_result& result, const std::string& directory) {
  for (const auto& found : result.findings) {
    const auto path = failure_path(directory, result, found);
    save_failure(path, {.token = found.token,
                        .scenario = result.scenario,
                        .violations = found.violations,
                        .what_happened = found.what_happened});
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

// 3 before 1 before 0.
int worse(int a, int b) noexcept { return std::max(a, b); }

}  // namespace

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
  auto selected = select(scenarios(), request.patterns);
  const auto token = token_to_replay();
  if (token) keep_owner(selected, *token);
  if (!request.save.empty()) make_directory(request.save);

  int code = exit_code::as_expected;
  std::vector<explore::campaign_result> results;
  for (const auto* scenario : selected) {
    const auto how = overridden(explore::with_environment(scenario->defaults), request.how);
    const auto result =
        token ? explore::replay(*scenario, *token, how) : explore::run_campaign(*scenario, how);
    code = worse(code, exit_code_of(result));
    if (!request.save.empty()) save(result, request.save);
    if (!request.json) print(result, request, selected.size() == 1);
    if (request.json) results.push_back(result);
    if (explore::interrupting_signal() != 0) break;
  }
  if (request.json) fmt::print("{}\n", report::dump(report::results_json(results)));
  return code;
}

}  // namespace forkloom::cli

// replay: one execution again, from a token or a failure file.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <optional>

#include "forkloom/error.hpp"
#include "framework/cli/command.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/selection.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/programs/program_scenario.hpp"
#include "framework/report/json.hpp"
#include "framework/report/text.hpp"
#include "framework/trace/failure_file.hpp"

namespace forkloom::cli {
namespace {

struct recording {
  replay_token token;
  std::optional<trace> what_happened;
  std::optional<program_run> programs;
};

// A token has no '/' and no file of that name beside it.
bool is_file(const std::string& what) {
  std::error_code ignored;
  return what.find('/') != std::string::npos || what.ends_with(".json") ||
         std::filesystem::exists(what, ignored);
}

recording recorded(const std::string& what) {
  if (!is_file(what)) return {decode(what), std::nullopt, std::nullopt};
  auto failure = load_failure(what);
  try {
    return {decode(failure.token), std::move(failure.what_happened), std::move(failure.programs)};
  } catch (const usage_error& error) {
    throw usage_error(fmt::format("{}: {}", what, error.what()));
  }
}

const scenario_info& owner(const replay_token& token) {
  for (const auto* scenario : scenarios())
    if (scenario_hash(scenario->name) == token.scenario) return *scenario;
  throw usage_error(
      fmt::format("the token is of no scenario of this binary (scenario {:08x}): replay it with "
                  "the binary that printed it, or the scenario was renamed since. If it is of "
                  "programs, name them as its replay line does, after '--'",
                  token.scenario));
}

// Programs are looked for where they were run.
void go_to(const std::string& directory) {
  std::error_code error;
  std::filesystem::current_path(directory, error);
  if (error)
    throw usage_error(fmt::format("cannot go to {}, where the programs were run: {}", directory,
                                  error.message()));
}

// The scenario of programs that the command line or the failure file names.
std::optional<scenario_info> made_of_programs(const std::optional<program_run>& programs,
                                              const replay_token& token) {
  if (!programs) return std::nullopt;
  go_to(programs->directory);
  programs::require_programs(*programs);
  auto info = programs::scenario_of(*programs);
  if (scenario_hash(info.name) != token.scenario)
    throw usage_error(fmt::format(
        "the token is not of these programs: {}. Name them as the replay line does", info.name));
  return info;
}

}  // namespace

int replay(const replay_request& request) {
  const auto recording = recorded(request.what);
  const auto& programs = request.programs ? request.programs : recording.programs;
  const auto made = made_of_programs(programs, recording.token);
  const auto& scenario = made ? *made : owner(recording.token);
  // FORKLOOM_SEED and the like do not apply: the token says it all.
  auto result =
      explore::replay(scenario, recording.token, scenario.defaults, recording.what_happened);
  if (programs) add_replay_arguments(result, *programs);
  if (request.json) {
    fmt::print("{}\n", report::dump(report::results_json(std::array{result})));
    return exit_code_of(result);
  }
  auto look = report::style_for(1);
  look.verbose = request.verbose;
  fmt::print("{}", report::full_report(result, look));
  return exit_code_of(result);
}

}  // namespace forkloom::cli

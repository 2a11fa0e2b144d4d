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
#include "framework/report/json.hpp"
#include "framework/report/text.hpp"
#include "framework/trace/failure_file.hpp"

namespace forkloom::cli {
namespace {

struct recording {
  replay_token token;
  std::optional<trace> what_happened;
};

// A token has no '/' and no file of that name beside it.
bool is_file(const std::string& what) {
  std::error_code ignored;
  return what.find('/') != std::string::npos || what.ends_with(".json") ||
         std::filesystem::exists(what, ignored);
}

recording recorded(const std::string& what) {
  if (!is_file(what)) return {decode(what), std::nullopt};
  auto failure = load_failure(what);
  try {
    return {decode(failure.token), std::move(failure.what_happened)};
  } catch (const usage_error& error) {
    throw usage_error(fmt::format("{}: {}", what, error.what()));
  }
}

const scenario_info& owner(const replay_token& token) {
  for (const auto* scenario : scenarios())
    if (scenario_hash(scenario->name) == token.scenario) return *scenario;
  throw usage_error(
      fmt::format("the token is of no scenario of this binary (scenario {:08x}): replay it with "
                  "the binary that "
                  "printed it, or the scenario was renamed since",
                  token.scenario));
}

}  // namespace

int replay(const replay_request& request) {
  const auto recording = recorded(request.what);
  const auto& scenario = owner(recording.token);
  // FORKLOOM_SEED and the like do not apply: the token says it all.
  const auto result =
      explore::replay(scenario, recording.token, scenario.defaults, recording.what_happened);
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

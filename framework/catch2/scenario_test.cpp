// What a scenario does as a test case: one campaign for each strategy.
#include <signal.h>

#include <string>
#include <vector>

#include "forkloom/catch2.hpp"
#include "forkloom/error.hpp"
#include "framework/catch2/bridge.hpp"
#include "framework/catch2/replay.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/report/text.hpp"

namespace forkloom {
namespace {

using catch2::inside_catch2;
using catch2::token_to_replay;

source_place place_of(const scenario_info& scenario) {
  return {scenario.file.c_str(), scenario.line};
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

void judge(const scenario_info& scenario, const explore::campaign_result& result) {
  // The campaign took the signal; the session is told now, by the handler that Catch2 has for it.
  if (const int signal = explore::interrupting_signal(); signal != 0) raise(signal);
  if (result.how == explore::verdict::as_expected)
    catch2::succeed(place_of(scenario), report::summary(result, inside_catch2));
  else
    catch2::fail(place_of(scenario), report::full_report(result, inside_catch2));
}

void replay(const scenario_info& scenario, const replay_token& token) {
  if (token.scenario == scenario_hash(scenario.name))
    judge(scenario, explore::replay(scenario, token, scenario.defaults));
  else
    catch2::succeed(place_of(scenario), "skipped: FORKLOOM_REPLAY is of another scenario");
}

void explore_with_each_strategy(const scenario_info& scenario) {
  auto how = explore::with_environment(scenario.defaults);
  how.shrink = shrink_what::surprises;
  for (const auto& strategy : split_at_commas(how.strategy))
    catch2::in_section(place_of(scenario), strategy, [&] {
      auto one = how;
      one.strategy = strategy;
      judge(scenario, explore::run_campaign(scenario, one));
    });
}

void test(const scenario_info& scenario) {
  if (const auto token = token_to_replay())
    replay(scenario, *token);
  else
    explore_with_each_strategy(scenario);
}

}  // namespace

void register_scenarios_with_catch2() {
  for (const auto* scenario : scenarios())
    catch2::add_test_case(*scenario, [scenario] { test(*scenario); });
}

}  // namespace forkloom

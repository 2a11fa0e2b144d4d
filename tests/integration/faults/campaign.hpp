// A scenario made of processes that share a world, explored with faults.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "forkloom/faults.hpp"
#include "forkloom/scenario.hpp"
#include "framework/explore/campaign.hpp"
#include "tests/catch.hpp"

namespace forkloom::faults_test {

template <class World>
struct declared {
  static inline std::vector<void (*)(World&)> bodies;
  static inline void (*judge)(World&);

  static void scenario_body(scenario& scenario) {
    auto& world = scenario.make<World>("world");
    for (const auto run : bodies) scenario.process("process", [&world, run] { run(world); });
    scenario.finally([&world] { judge(world); });
  }
};

inline options with(std::string faults, timeout_policy timeouts = timeout_policy::idle) {
  return {.executions = 200,
          .strategy = "random",
          .faults = std::move(faults),
          .timeouts = timeouts,
          .replays = 1};
}

// Explores it; `judge` is called after each execution that came to its end.
template <class World>
explore::campaign_result explored(const options& how, std::vector<void (*)(World&)> bodies,
                                  void (*judge)(World&)) {
  using here = declared<World>;
  here::bodies = std::move(bodies);
  here::judge = judge;
  const scenario_info info{.name = "faults",
                           .tags = {},
                           .file = __FILE__,
                           .line = __LINE__,
                           .body = &here::scenario_body,
                           .defaults = how};
  return explore::run_campaign(info, how);
}

// Does it come to an execution of which the judge says no?
template <class World>
bool comes_to(const options& how, std::vector<void (*)(World&)> bodies, void (*judge)(World&)) {
  return !explored<World>(how, std::move(bodies), judge).findings.empty();
}

// The same, which must find nothing, and in which each of the faults must have happened.
template <class World>
explore::campaign_result harmless(const options& how, std::vector<void (*)(World&)> bodies,
                                  void (*judge)(World&)) {
  auto result = explored<World>(how, std::move(bodies), judge);
  INFO(result.message);
  for (const auto& f : result.findings)
    for (const auto& v : f.violations) UNSCOPED_INFO(v.message);
  REQUIRE(result.how == explore::verdict::as_expected);
  REQUIRE(result.executions == how.executions);
  for (const auto& fault : result.faults) {
    CAPTURE(fault.name, fault.chances);
    CHECK(fault.happened > 0);
  }
  return result;
}

}  // namespace forkloom::faults_test

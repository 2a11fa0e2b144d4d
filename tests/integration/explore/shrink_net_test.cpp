// Shrinking is bounded by executions and steps; the real time below them is a net, which says so
// where it binds.
#include "forkloom/scenario.hpp"
#include "framework/explore/campaign.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;

void increment_without_lock(scenario& scenario) {
  auto& counter = scenario.shared<int>("counter", 0);
  scenario.processes("clerk", 2, [&] {
    for (int i = 0; i < 8; ++i) ++counter;
  });
  scenario.finally([&] { expect(counter == 16); });
}

explore::finding first_failure(std::chrono::milliseconds net) {
  const scenario_info info{
      .name = "a counter", .file = __FILE__, .line = __LINE__, .body = increment_without_lock};
  options how;
  how.strategy = "random";
  how.shrink = shrink_what::everything;
  how.shrink_time = net;
  const auto result = explore::run_campaign(info, how);
  REQUIRE(result.findings.size() == 1);
  REQUIRE(result.findings.front().shrunk);
  return result.findings.front();
}

TEST_CASE("shrinking that is given up says after how long, and reports what it has", "[explore]") {
  const auto hurried = first_failure(std::chrono::milliseconds(1));
  CHECK(hurried.shrunk->given_up_after_ms == 1);
  CHECK_FALSE(hurried.shrunk->complete);
  CHECK(hurried.reproduced == hurried.replays);
}

TEST_CASE("shrinking without a net ends by itself, and always the same", "[explore]") {
  const auto one = first_failure(std::chrono::milliseconds(0));
  CHECK(one.shrunk->given_up_after_ms == 0);
  CHECK(one.shrunk->complete);
  CHECK(one.token == first_failure(std::chrono::milliseconds(0)).token);
}

}  // namespace

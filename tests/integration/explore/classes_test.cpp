// Real processes, explored systematically: as many classes as can be counted by hand, and as the
// search of all interleavings shows.
#include <algorithm>
#include <string>
#include <vector>

#include "framework/explore/campaign.hpp"
#include "tests/bench/class_programs.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;

explore::campaign_result explore_all(const bench::class_program& program,
                                     const std::string& strategy,
                                     const std::vector<std::string>& checkers = {}) {
  const scenario_info info{.name = program.name, .line = 1, .body = program.body};
  options how;
  how.strategy = strategy;
  how.executions = 10'000;
  how.keep_going = true;
  how.replays = 1;
  how.checkers = checkers;
  return explore::run_campaign(info, how);
}

const bench::class_program& named(const std::string& name) {
  static const auto all = bench::class_programs();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

TEST_CASE("dpor explores as many classes of real programs as are counted by hand", "[explore]") {
  for (const auto& program : bench::class_programs()) {
    INFO(program.name);
    const auto done = explore_all(program, "dpor");
    const auto said = program.classes == 1
                          ? std::string("the only interleaving (happens-before class) explored")
                          : "all " + std::to_string(program.classes) +
                                " interleavings (happens-before classes) explored";
    CHECK_THAT(done.conclusion, Catch::StartsWith(said));
    CHECK(done.how != explore::verdict::error);
    // With a bound that leaves nothing out it is the same.
    const auto bounded = explore_all(program, "dpor:1000");
    CHECK_THAT(bounded.conclusion, Catch::StartsWith(said) && Catch::Contains("left nothing out"));
  }
}

TEST_CASE("dpor executes programs with memory and mutexes once a class", "[explore]") {
  for (const auto* name : {"3 readers, 1 writer", "4 writers", "2 incrementers",
                           "4 owners of a mutex", "2 locks, opposed"}) {
    INFO(name);
    CHECK(explore_all(named(name), "dpor").executions == named(name).classes);
  }
}

TEST_CASE("dfs explores every interleaving of two writers, and says so", "[explore]") {
  const auto done = explore_all(named("2 writers"), "dfs");
  // A start, a store and an exit each: 6! / (3! 3!).
  CHECK(done.conclusion == "all 20 interleavings explored, none violates");
  CHECK(done.executions == 20);
  CHECK(done.how == explore::verdict::as_expected);
  CHECK(explore_all(named("2 writers"), "dfs:0").conclusion ==
        "all 2 interleavings with at most 0 preemptions explored, none violates");
}

TEST_CASE("a deadlock that one class has is found, replayed and counted", "[explore]") {
  const auto done = explore_all(named("2 locks, opposed"), "dpor", {"deadlock"});
  CHECK_THAT(done.conclusion, Catch::EndsWith("1 of them violates"));
  REQUIRE(done.findings.size() == 1);
  CHECK(done.findings[0].violations.front().kind == violation_kind::deadlock);
  CHECK(done.findings[0].reproduced == 1);
  CHECK(done.findings[0].token.find("-schedule") != std::string::npos);
}

TEST_CASE("a deadlock that is predicted is steered into, and its token replays it", "[explore]") {
  const auto& program = named("2 locks, opposed");
  const auto done = explore_all(program, "dpor", {"lock_order"});
  REQUIRE(!done.findings.empty());
  const auto& predicted = done.findings[0].violations.front();
  CHECK_THAT(predicted.message, Catch::EndsWith("(confirmed)"));
  const std::string before = "forkloom replay ";
  const auto& confirmed = predicted.details.back();
  const auto at = confirmed.find(before);
  REQUIRE(at != std::string::npos);

  const scenario_info info{.name = program.name, .line = 1, .body = program.body};
  const auto again = explore::replay(info, decode(confirmed.substr(at + before.size())), {});
  REQUIRE(again.findings.size() == 1);
  CHECK(again.findings[0].reproduced == 1);
  CHECK(again.findings[0].violations.front().kind == violation_kind::deadlock);
}

}  // namespace

#include "framework/shrink/critical.hpp"

#include <algorithm>
#include <array>

#include "tests/catch.hpp"
#include "tests/unit/shrink/toy.hpp"

namespace {

using namespace forkloom;
using tests::at;
using tests::toy;
using tests::toy_order;

TEST_CASE("the critical transition is the first step after which all continuations fail") {
  // Certain as soon as task 1 has made its step 2 before task 0 its step 5.
  toy system{{std::vector<unsigned>(8, 0), std::vector<unsigned>(8, 0)},
             [](const toy_order& order) {
               return at(order, {1, 2}) < at(order, {0, 5});
             }};
  const schedule what{.picks = {{4, task_id{1}}}, .draws = {}};
  const auto failing = system.run(what);
  REQUIRE(failing.fails);
  system.executions = 0;
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 7);  // four of task 0, three of task 1
  CHECK(found->continuations == 20);
  CHECK(found->executions == system.executions);
}

TEST_CASE("a failure that cannot be avoided is certain from the start") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 0);
}

TEST_CASE("a failure that the last step decides is certain at the end") {
  toy system{{{0, 0, 0}, {0, 0, 0}},
             [](const toy_order& order) { return order.back().first == 0 && order[4].first == 1; }};
  const auto failing = system.run({.picks = {{2, task_id{1}}}, .draws = {}});
  REQUIRE(failing.fails);
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 5);
  CHECK(found->continuations == 20);
}

TEST_CASE("if all that is tried gets away, the failure is certain at the end, and not by tries") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  const shrink::runner gets_away = [&](const schedule& what) {
    auto made = system.run(what);
    made.fails = false;
    return made;
  };
  const auto found =
      shrink::find_critical(failing.what_happened, gets_away, {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 4);
  CHECK(found->continuations == 0);
}

TEST_CASE("a failure that a draw decides is certain after the step that draws") {
  toy system{{std::vector<unsigned>(6, 0), std::vector<unsigned>(6, 0)}, {}, {{0, 2}}};
  system.fails = [&](const toy_order&) { return system.last_values.at({0, 2}) == 2; };
  const auto failing = system.run({.picks = {}, .draws = {{3, 0, 2}}});
  REQUIRE(failing.fails);
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 3);
}

TEST_CASE("no claim is made once the budget's steps are used up") {
  for (const unsigned executions : {10U, 11U}) {
    toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
    const auto failing = system.run({});
    system.executions = 0;
    // Four steps each; what begins before they are used up may go beyond.
    CHECK_FALSE(shrink::find_critical(failing.what_happened, system.runner(),
                                      {.executions = 1'000, .steps = 4 * executions - 3}, 7));
    CHECK(system.executions == executions);
    system.executions = 0;
    CHECK_FALSE(shrink::find_critical(failing.what_happened, system.runner(),
                                      {.executions = 1'000, .steps = 4 * executions}, 7));
    CHECK(system.executions == executions);
  }
}

TEST_CASE("no claim is made when time is out") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  system.executions = 0;
  CHECK_FALSE(shrink::find_critical(failing.what_happened, system.runner(),
                                    {.executions = 1'000, .out_of_time = [] { return true; }}, 7));
  CHECK(system.executions == 0);
}

TEST_CASE("each place is looked at with eight continuations, the one that is found with 20 more") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->executions == 8 + 8 + 8 + 20);  // after 2, 1 and 0 steps of the four
}

TEST_CASE("where the second look sees one get away, the search goes on behind that place") {
  // 24 continuations lead to step 0, and of 20 more the fifth does not fail.
  toy system{{{0, 0}, {0, 0}}, {}};
  system.fails = [&](const toy_order&) { return system.executions != 24 + 5; };
  const auto failing = system.run({});
  system.executions = 0;
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 1);
  CHECK(found->executions == 24 + 5 + 16 + 20);  // then after 2 steps and 1
}

TEST_CASE("where only one continuation is left, the failure is certain") {
  // Only this very order fails.
  toy system{{{0, 0}, {0, 0}}, {}};
  const toy_order exactly{{0, 0}, {1, 0}, {0, 1}, {1, 1}};
  system.fails = [&](const toy_order& order) { return order == exactly; };
  const auto failing = system.run({.picks = {{1, task_id{1}}, {2, task_id{0}}}, .draws = {}});
  REQUIRE(failing.fails);
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  // When three steps have been made, only the fourth is left.
  CHECK(found->step == 3);
}

// The schedules that are tried from each place in turn: after 8 of 16 steps, 4, 2, 1 and 0.
std::vector<schedule> continuations(std::uint64_t seed) {
  toy system{{std::vector<unsigned>(8, 0), std::vector<unsigned>(8, 0)},
             [](const toy_order&) { return true; }};
  const auto failing = system.run(tests::restless(16, 2));
  std::vector<schedule> tried;
  const shrink::runner run = [&](const schedule& what) {
    tried.push_back(what);
    return system.run(what);
  };
  CHECK(shrink::find_critical(failing.what_happened, run, {.executions = 1'000}, seed));
  return tried;
}

TEST_CASE("a continuation keeps to the failing schedule up to a place, and then goes anywhere") {
  const auto tried = continuations(7);
  REQUIRE(tried.size() == 5 * 8 + 20);
  std::size_t later = 0;
  std::size_t far = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    CAPTURE(i);
    const auto& picks = tried[i].picks;
    const std::array<std::uint32_t, 5> places{8, 4, 2, 1, 0};
    const auto place = places.at(i / 8);
    for (std::size_t n = 1; n < picks.size(); ++n) REQUIRE(picks[n - 1].step < picks[n].step);
    // Of its steps up to there all but the first, which is as usual, have an entry: see restless().
    const auto kept = std::max(place, 1U) - 1;
    REQUIRE(picks.size() > kept);
    for (std::uint32_t n = 1; n <= kept; ++n)
      CHECK(picks[n - 1] == scheduled_pick{n, task_id(n % 2)});
    later += picks.size() - kept;
    far += picks.back().step >= 2 * 16 ? 1 : 0;
  }
  // Every second step goes to anybody, as long as it may take: 132 - place of each, so 2,580 with a
  // standard deviation of 36.
  CHECK(later > 2'580 - 180);
  CHECK(later < 2'580 + 180);
  CHECK(far == 40);
}

TEST_CASE("continuations follow from the seed") {
  CHECK(continuations(7) == continuations(7));
  CHECK(continuations(7) != continuations(8));
}

TEST_CASE("without enough executions nothing is claimed") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  system.executions = 0;
  CHECK_FALSE(shrink::find_critical(failing.what_happened, system.runner(), {.executions = 15}, 7));
  CHECK(system.executions == 15);
}

}  // namespace

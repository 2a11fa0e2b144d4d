#include "framework/strategy/replay.hpp"

#include <utility>

#include "framework/strategy/strategy.hpp"
#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"

namespace {

using namespace forkloom;
using forkloom::testing::enabled;
using strategy::replay;

constexpr task_id none = no_task;

// Task 2 at the second step and task 0 at the fourth; else the usual course.
const schedule two_picks{.picks = {{1, task_id{2}}, {3, task_id{0}}}, .draws = {}};

// A replay with the schedule that it reads.
struct begun {
  explicit begun(schedule s) : what(std::move(s)), strategy(what) { strategy.begin(0); }

  schedule what;
  replay strategy;
};

TEST_CASE("a schedule without entries lets the running task go on") {
  begun b(schedule{});
  auto& strategy = b.strategy;
  CHECK(strategy.pick({enabled({0, 1, 2}), task_id{1}, false}) == task_id{1});
}

TEST_CASE("without an entry the next in turn goes when the running task cannot or yields") {
  begun b(schedule{});
  auto& strategy = b.strategy;
  CHECK(strategy.pick({enabled({0, 2}), task_id{1}, false}) == task_id{2});
  CHECK(strategy.pick({enabled({0, 1}), task_id{2}, false}) == task_id{0});
  CHECK(strategy.pick({enabled({0, 1, 2}), task_id{1}, true}) == task_id{2});
  CHECK(strategy.pick({enabled({1}), task_id{1}, true}) == task_id{1});
  CHECK(strategy.pick({enabled({1, 2}), none, false}) == task_id{1});
}

TEST_CASE("each entry is followed at its step and at no other") {
  begun b(two_picks);
  auto& strategy = b.strategy;
  const auto tasks = enabled({0, 1, 2});
  CHECK(strategy.pick({tasks, none, false}) == task_id{0});
  CHECK(strategy.pick({tasks, task_id{0}, false}) == task_id{2});
  CHECK(strategy.pick({tasks, task_id{2}, false}) == task_id{2});
  CHECK(strategy.pick({tasks, task_id{2}, false}) == task_id{0});
  CHECK(strategy.pick({tasks, task_id{0}, false}) == task_id{0});
  CHECK(strategy.departed_at() == replay::none);
}

TEST_CASE("the first pick that is not enabled is reported as the departure") {
  begun b(two_picks);
  auto& strategy = b.strategy;
  (void)strategy.pick({enabled({0, 1, 2}), none, false});
  CHECK(strategy.pick({enabled({0, 1}), task_id{1}, false}) == task_id{1});
  CHECK(strategy.departed_at() == 1);
  (void)strategy.pick({enabled({1}), task_id{1}, false});
  (void)strategy.pick({enabled({1}), task_id{1}, false});
  CHECK(strategy.departed_at() == 1);
}

TEST_CASE("a new execution begins at the first entry, with no departure") {
  begun b({.picks = {{0, task_id{2}}}, .draws = {{1, 0, 1}}});
  auto& strategy = b.strategy;
  CHECK(strategy.pick({enabled({0}), none, false}) == task_id{0});
  CHECK(strategy.departed_at() == 0);
  CHECK(strategy.draw(2) == 1);
  strategy.begin(0);
  CHECK(strategy.departed_at() == replay::none);
  CHECK(strategy.pick({enabled({0, 2}), none, false}) == task_id{2});
  CHECK(strategy.draw(2) == 1);
}

TEST_CASE("draws are told apart by the step and by their number in it") {
  begun b({.picks = {}, .draws = {{0, 1, 3}, {1, 0, 2}, {1, 2, 4}}});
  auto& strategy = b.strategy;
  CHECK(strategy.draw(5) == 0);
  CHECK(strategy.draw(5) == 3);
  CHECK(strategy.draw(5) == 0);
  (void)strategy.pick({enabled({0}), none, false});
  CHECK(strategy.draw(5) == 2);
  CHECK(strategy.draw(5) == 0);
  CHECK(strategy.draw(5) == 4);
  CHECK(strategy.departed_at() == replay::none);
}

TEST_CASE("a draw with one outcome is not counted") {
  begun b({.picks = {}, .draws = {{0, 0, 1}}});
  auto& strategy = b.strategy;
  CHECK(strategy.draw(1) == 0);
  CHECK(strategy.draw(2) == 1);
}

TEST_CASE("an entry for a draw that was not made is passed over") {
  begun b({.picks = {}, .draws = {{0, 0, 1}, {1, 0, 2}}});
  auto& strategy = b.strategy;
  (void)strategy.pick({enabled({0}), none, false});
  CHECK(strategy.draw(3) == 2);
}

TEST_CASE("a value that is out of bounds is a departure") {
  begun b({.picks = {}, .draws = {{0, 0, 7}}});
  auto& strategy = b.strategy;
  CHECK(strategy.draw(7) == 0);
  CHECK(strategy.departed_at() == 0);
}

TEST_CASE("a chance is a draw of 0 or 1, whatever its odds") {
  begun b({.picks = {}, .draws = {{0, 1, 1}}});
  auto& strategy = b.strategy;
  strategy::state state(strategy);
  CHECK_FALSE(strategy::chance(state, 1));
  CHECK(strategy::chance(state, 1'000'000));
  CHECK_FALSE(strategy::chance(state, 2));
}

TEST_CASE("a random strategy takes a chance once in so many times") {
  strategy::state state(strategy::random_walk{});
  strategy::begin(state, 5);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) taken += strategy::chance(state, 10) ? 1 : 0;
  CHECK(taken > 850);  // five standard deviations of 30
  CHECK(taken < 1'150);
  CHECK(strategy::chance(state, 1));
}

TEST_CASE("a pick is told apart as usual, other and preemption") {
  const auto tasks = enabled({0, 1, 2});
  const auto kind = [&](task_id current, bool yields, task_id picked) {
    return strategy::kind_of({tasks, current, yields}, picked);
  };
  CHECK(kind(task_id{1}, false, task_id{1}) == pick_kind::usual);
  CHECK(kind(task_id{1}, false, task_id{2}) == pick_kind::preemption);
  CHECK(kind(task_id{1}, true, task_id{2}) == pick_kind::usual);
  CHECK(kind(task_id{1}, true, task_id{0}) == pick_kind::other);
  CHECK(kind(task_id{5}, false, task_id{0}) == pick_kind::usual);
  CHECK(kind(task_id{5}, false, task_id{1}) == pick_kind::other);
}

}  // namespace

// What the search for fewer preemptions tries, and in which order of importance.
#include "framework/shrink/search.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/shrink/toy.hpp"

namespace {

using namespace forkloom;
using tests::toy;

// Of an execution without preemptions: task 0 makes all of its steps, then task 1.
trace executed(const std::vector<std::vector<unsigned>>& tasks) {
  toy system{tasks, [](const tests::toy_order&) { return false; }};
  return system.run({}).what_happened;
}

// Before which steps somebody else may go for the price of a preemption.
std::set<std::uint32_t> preempted_before(const trace& what) {
  std::set<std::uint32_t> steps;
  for (const auto& d : shrink::disturbances_of(what, "", false))
    if (d.preempts) steps.insert(d.made.picks.back().step);
  return steps;
}

TEST_CASE("a preemption is tried only before a step on what two tasks use") {
  // When task 0 has ended, nobody is left to go instead of task 1. Thing 5 is task 0's own, 6 is
  // task 1's, and both use 1.
  CHECK(preempted_before(executed({{5, 1, 5, 1}, {6, 1}})) == std::set<std::uint32_t>{1, 3});
  CHECK(preempted_before(executed({{5, 5, 5}, {6, 6}})).empty());
}

TEST_CASE("a preemption is tried before a task's end: what it held is free then") {
  auto what = executed({{5, 5, 5}, {6, 6}});
  what.events[2].op = operation::exit;
  CHECK(preempted_before(what) == std::set<std::uint32_t>{2});
}

TEST_CASE("what has no resource concerns nobody") {
  auto what = executed({{5, 5, 5}, {6, 6}});
  for (auto& e : what.events) e.resource = no_resource;
  CHECK(preempted_before(what).empty());
}

TEST_CASE("a step that is about the place in question besides another is not elsewhere") {
  auto what = executed({{5, 5, 5}, {5}});
  what.events[1].second = resource_id{1};
  for (const auto& d : shrink::disturbances_of(what, "1", false))
    if (d.preempts) CHECK(d.elsewhere == (d.made.picks.back().step != 1));
}

// Before which steps that task may go instead.
std::set<std::uint32_t> instead(const trace& what, task_id task) {
  std::set<std::uint32_t> steps;
  for (const auto& d : shrink::disturbances_of(what, "", false))
    if (d.made.picks.back().task == task) steps.insert(d.made.picks.back().step);
  return steps;
}

TEST_CASE("who never went may go if it lives") {
  // Task 1 has no step, and task 2 is there to make task 0's steps matter.
  auto what = executed({{1, 1, 1}, {}, {1}});
  CHECK(instead(what, task_id{1}).empty());
  what.tasks[1].end = {};
  CHECK(instead(what, task_id{1}) == std::set<std::uint32_t>{0, 1, 2, 3});
}

TEST_CASE("who waits may go only when somebody else has done something since") {
  // Task 1 goes first, and has to wait for the thing from its first step on.
  toy system{{{1, 1, 1}, {1}}, [](const tests::toy_order&) { return false; }};
  auto what = system.run({.picks = {{0, task_id{1}}}, .draws = {}}).what_happened;
  what.events[0].how = outcome::blocked;
  what.tasks[1].end = {};
  CHECK(instead(what, task_id{1}) == std::set<std::uint32_t>{2, 3});
  // Had it not had to wait, it could have gone on at once.
  what.events[0].how = outcome::completed;
  CHECK(instead(what, task_id{1}) == std::set<std::uint32_t>{1, 2, 3});
}

TEST_CASE("who has ended may not go") {
  toy system{{{1, 1, 1}, {1}}, [](const tests::toy_order&) { return false; }};
  const auto what = system.run({.picks = {{0, task_id{1}}}, .draws = {}}).what_happened;
  CHECK(instead(what, task_id{1}).empty());
}

// One task's steps, of which some draw: two numbers in its second step, one in its fourth.
trace drawing() {
  auto what = executed({{1, 1, 1, 1, 1}, {1}});
  what.draws = {{.step = 2, .nth = 0, .value = 0, .bound = 2},
                {.step = 2, .nth = 1, .value = 0, .bound = 2},
                {.step = 4, .nth = 0, .value = 0, .bound = 100}};
  return what;
}

std::vector<schedule> all_made(const trace& what) {
  std::vector<schedule> made;
  for (auto& d : shrink::disturbances_of(what, "1", true)) made.push_back(std::move(d.made));
  return made;
}

TEST_CASE("of a draw with many values the first few are tried") {
  std::vector<std::uint32_t> values;
  for (const auto& made : all_made(drawing()))
    if (!made.draws.empty() && made.draws.back().step == 4)
      values.push_back(made.draws.back().value);
  CHECK(values == std::vector<std::uint32_t>{1, 2, 3});
}

TEST_CASE("a schedule is disturbed only behind its last entry") {
  auto what = drawing();
  const auto first = [](const std::vector<schedule>& all) {
    std::uint32_t pick = 99;
    std::pair<std::uint32_t, std::uint32_t> draw{99, 0};
    for (const auto& made : all) {
      if (!made.picks.empty()) pick = std::min(pick, made.picks.back().step);
      if (!made.draws.empty())
        draw = std::min(draw, {made.draws.back().step, made.draws.back().nth});
      // So entries are in order.
      for (std::size_t i = 1; i < made.picks.size(); ++i)
        CHECK(made.picks[i - 1].step < made.picks[i].step);
      for (std::size_t i = 1; i < made.draws.size(); ++i)
        CHECK(std::pair(made.draws[i - 1].step, made.draws[i - 1].nth) <
              std::pair(made.draws[i].step, made.draws[i].nth));
    }
    return std::tuple(pick, draw.first, draw.second);
  };
  CHECK(first(all_made(what)) == std::tuple(0U, 2U, 0U));
  SECTION("behind a draw come the next of its step, and the pick after it") {
    what.draws[0].value = 1;
    auto rest = all_made(what);
    rest.erase(std::remove_if(rest.begin(), rest.end(),
                              [](const schedule& made) { return made.draws.size() == 1; }),
               rest.end());
    CHECK(std::get<2>(first(rest)) == 1);
    CHECK(std::get<0>(first(all_made(what))) == 2);
  }
  SECTION("behind the second draw of a step comes none of that step") {
    what.draws[1].value = 1;
    auto rest = all_made(what);
    rest.erase(std::remove_if(rest.begin(), rest.end(),
                              [](const schedule& made) { return made.draws.size() == 1; }),
               rest.end());
    CHECK(std::get<1>(first(rest)) == 4);
  }
  SECTION("behind a pick come the draws of its step, and the next pick") {
    what.pick_kinds[1] = pick_kind::other;
    CHECK(first(all_made(what)) == std::tuple(1U, 2U, 0U));
    auto rest = all_made(what);
    rest.erase(std::remove_if(rest.begin(), rest.end(),
                              [](const schedule& made) { return made.picks.size() == 1; }),
               rest.end());
    CHECK(std::get<0>(first(rest)) == 2);
    what.pick_kinds[1] = pick_kind::usual;
    what.pick_kinds[2] = pick_kind::other;
    CHECK(std::get<1>(first(all_made(what))) == 4);
  }
}

TEST_CASE("preemptions before steps that are not at the place in question are marked") {
  const auto what = executed({{1, 2, 1, 2}, {1, 2}});
  for (const auto& d : shrink::disturbances_of(what, "1", false)) {
    if (!d.preempts) continue;
    CAPTURE(d.made.picks.back().step);
    const auto thing = what.events[d.made.picks.back().step].resource;
    CHECK(d.elsewhere == (thing != resource_id{1}));
  }
}

}  // namespace

// What the search for fewer preemptions tries, and in which order of importance.
#include "framework/shrink/search.hpp"

#include <algorithm>
#include <set>

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

// One mutation of a schedule, seen over many draws: what it may do, and that it does all of that.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "framework/explore/guided.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using explore::extent;
using explore::mutate;

constexpr auto teller = task_id{1};

std::vector<schedule> mutations(const schedule& of, const extent& within, int count) {
  strategy::generator random(3);
  std::vector<schedule> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(of);
    mutate(all.back(), within, random);
  }
  return all;
}

TEST_CASE("of an empty schedule each mutation is one pick, of any task at any step") {
  std::set<std::pair<std::uint32_t, std::size_t>> seen;
  for (const auto& made : mutations({}, {.steps = 5, .tasks = 3}, 1'000)) {
    REQUIRE(made.picks.size() == 1);
    REQUIRE(made.draws.empty());
    seen.insert({made.picks[0].step, index(made.picks[0].task)});
  }
  CHECK(seen.size() == 5 * 3);
  CHECK(seen.rbegin()->first == 4);
}

TEST_CASE("a pick is added, taken away or moved by up to eight steps, one as often as the other") {
  const schedule one{.picks = {{100, teller}}, .draws = {}};
  constexpr int count = 3'000;
  int added = 0;
  int taken = 0;
  std::map<int, int> moved;
  for (const auto& made : mutations(one, {.steps = 1'000, .tasks = 2}, count)) {
    if (made.picks.empty())
      ++taken;
    else if (made.picks.size() == 2)
      ++added;
    else
      ++moved[static_cast<int>(made.picks[0].step) - 100];
    for (const auto& pick : made.picks)
      if (made.picks.size() == 1 && pick.step != 100) CHECK(pick.task == teller);
  }
  // A third each, with a standard deviation of 26.
  CHECK(std::abs(taken - count / 3) < 130);
  CHECK(std::abs(added - count / 3) < 130);
  moved.erase(0);  // another pick added at its place
  CHECK(moved.size() == 16);
  CHECK(moved.begin()->first == -8);
  CHECK(moved.rbegin()->first == 8);
}

TEST_CASE("a pick is not moved before the first step, nor behind the last that a schedule has") {
  const schedule edges{.picks = {{2, teller}, {schedule_steps_max - 3, teller}}, .draws = {}};
  std::set<std::uint32_t> seen;
  for (const auto& made : mutations(edges, {.steps = 1, .tasks = 1}, 1'000))
    for (const auto& pick : made.picks) {
      REQUIRE(pick.step < schedule_steps_max);
      seen.insert(pick.step);
    }
  CHECK(seen.contains(0));
  CHECK(seen.contains(schedule_steps_max - 1));
}

TEST_CASE("of two picks for one step the later mutation counts") {
  const schedule first{.picks = {{0, teller}}, .draws = {}};
  std::set<std::size_t> tasks;
  for (const auto& made : mutations(first, {.steps = 1, .tasks = 3}, 500))
    if (made.picks.size() == 1 && made.picks[0].step == 0) tasks.insert(index(made.picks[0].task));
  CHECK(tasks == std::set<std::size_t>{0, 1, 2});
}

// Twenty draws of four values, one a step, and one of two values.
extent with_draws() {
  extent of{.steps = 40, .tasks = 2};
  for (std::uint32_t step = 0; step < 20; ++step)
    of.draws.push_back({.step = step, .nth = 0, .value = 0, .bound = 4});
  of.draws.push_back({.step = 20, .nth = 0, .value = 0, .bound = 2});
  return of;
}

TEST_CASE("where there are draws, every second mutation is of one") {
  int of_draws = 0;
  constexpr int count = 2'000;
  for (const auto& made : mutations({}, with_draws(), count)) {
    CHECK(made.picks.size() + made.draws.size() == 1);
    of_draws += static_cast<int>(made.draws.size());
  }
  CHECK(std::abs(of_draws - count / 2) < 110);  // a standard deviation of 22
}

TEST_CASE("a draw gets any value but 0, and none that it could not have had") {
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const auto& made : mutations({}, with_draws(), 5'000))
    for (const auto& draw : made.draws) seen.insert({draw.step, draw.value});
  CHECK(seen.size() == 20 * 3 + 1);
  for (const auto& [step, value] : seen) CHECK((value > 0 && value < (step == 20 ? 2U : 4U)));
}

TEST_CASE("a draw's value is taken away, or goes to a draw nearby, as large as that allows") {
  const schedule one{.picks = {}, .draws = {{12, 0, 3}}};
  std::set<std::uint32_t> places;
  bool taken = false;
  for (const auto& made : mutations(one, with_draws(), 5'000)) {
    if (!made.picks.empty()) continue;
    taken = taken || made.draws.empty();
    if (made.draws.size() != 1 || made.draws[0].step == 12) continue;
    const auto& moved = made.draws[0];
    places.insert(moved.step);
    CHECK(moved.value == (moved.step == 20 ? 1 : 3));
  }
  CHECK(taken);
  CHECK(places.size() == 16);
  CHECK(*places.begin() == 4);
  CHECK(*places.rbegin() == 20);
}

}  // namespace

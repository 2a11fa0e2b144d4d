#include "framework/strategy/pct.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"
#include "tests/unit/strategy/letters.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::strategy;
using forkloom::testing::enabled;

pct begun(std::uint32_t d, std::uint32_t k, std::uint64_t seed) {
  pct made(d, k);
  made.begin(seed);
  return made;
}

TEST_CASE("all tasks have distinct priorities: they run in one order, each to its end") {
  execution::task_set tasks;
  for (std::size_t i = 0; i < execution::task_capacity; ++i) tasks.insert(task_id(i));
  const auto order = [&](auto strategy) {
    auto left = tasks;
    std::vector<task_id> picked;
    while (!left.empty()) {
      picked.push_back(strategy.pick({left, no_task, false}));
      left.erase(picked.back());
    }
    return picked;
  };
  const auto strategy = begun(1, 10'000, 3);
  const auto first = order(strategy);
  CHECK(std::set<task_id>(first.begin(), first.end()).size() == execution::task_capacity);
  CHECK(order(strategy) == first);
}

TEST_CASE("the running task keeps the token although it is asked again and again") {
  auto strategy = begun(1, 1000, 3);
  const auto tasks = enabled({0, 1, 2});
  const auto first = strategy.pick({tasks, no_task, false});
  for (int i = 0; i < 100; ++i) CHECK(strategy.pick({tasks, first, false}) == first);
}

TEST_CASE("each task is equally likely to be the highest") {
  // 3,000 seeds, 1,000 for each of 3 tasks with a standard deviation of 26: within 5 of them.
  std::array<int, 3> firsts{};
  for (std::uint64_t seed = 0; seed < 3000; ++seed)
    ++firsts.at(
        index(begun(1, 100, execution_seed(1, seed)).pick({enabled({0, 1, 2}), no_task, false})));
  for (const auto count : firsts) CHECK(std::abs(count - 1000) < 5 * 26);
}

TEST_CASE("a task that yields falls below all others, the latest lowest") {
  auto strategy = begun(1, 1000, 3);
  const auto tasks = enabled({0, 1, 2});
  const auto first = strategy.pick({tasks, no_task, false});
  const auto second = strategy.pick({tasks, first, true});
  const auto third = strategy.pick({tasks, second, true});
  CHECK(std::set<task_id>{first, second, third}.size() == 3);
  CHECK(strategy.pick({tasks, third, true}) == first);  // the one that yielded longest ago
}

// A bug of depth 2: one task makes ten steps, and the other one's only step must fall between the
// third and the fourth of them.
constexpr int long_steps = 10;
constexpr std::uint32_t steps_in_all = long_steps + 1;

bool finds_the_bug(pct strategy) {
  auto left = enabled({0, 1});
  task_id current = no_task;
  int done = 0;
  bool found = false;
  while (!left.empty()) {
    current = strategy.pick({left, current, false});
    if (current == task_id{0}) {
      if (++done == long_steps) left.erase(current);
    } else {
      found = done == 3;
      left.erase(current);
    }
  }
  return found;
}

TEST_CASE("a bug of depth 2 is found as often as the paper promises for d = 2") {
  // The bound is 1 / (n k^(d-1)) = 1 / 22, and this bug meets it exactly: the long task must be the
  // higher one (1/2), and the change point must be the step before its fourth (1/11). Of 22,000
  // executions 1,000 find it, with a standard deviation of 31: outside of 5 of them for one set of
  // seeds in 1,700,000.
  int found = 0;
  for (std::uint64_t i = 0; i < 22'000; ++i)
    found += finds_the_bug(begun(2, steps_in_all, execution_seed(1, i))) ? 1 : 0;
  CHECK(std::abs(found - 1000) < 5 * 31);
}

TEST_CASE("a campaign of 1,000 executions finds a bug of depth 2") {
  // It misses with probability (21/22)^1000, less than 10^-20.
  const auto campaign = GENERATE(range(0, 20));
  bool found = false;
  for (std::uint64_t i = 0; i < 1000; ++i)
    found = found || finds_the_bug(begun(2, steps_in_all,
                                         execution_seed(static_cast<std::uint64_t>(campaign), i)));
  CHECK(found);
}

// All orders that these tasks can have, by plain recursion.
void add_orders(std::vector<std::size_t> left, const std::string& so_far,
                std::set<std::string>& all) {
  bool over = true;
  for (std::size_t t = 0; t < left.size(); ++t) {
    if (left[t] == 0) continue;
    over = false;
    auto next = left;
    --next[t];
    add_orders(next, so_far + std::to_string(t), all);
  }
  if (over) all.insert(so_far);
}

std::size_t preemptions_in(const std::string& order, const std::vector<std::string>& words) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const auto before = order[i - 1];
    const auto done =
        static_cast<std::size_t>(std::count(order.begin(), order.begin() + i, before));
    count += order[i] != before && done < words[static_cast<std::size_t>(before - '0')].size();
  }
  return count;
}

TEST_CASE("every order with fewer than d preemptions is found as often as the bound promises") {
  // Who wants one certain order of all steps asks for the hardest bug of its depth: d - 1 changes
  // at certain steps, of certain tasks. Both tasks alternate in "0101", which is of depth 3.
  const std::vector<std::string> words{"ab", "cd"};
  constexpr std::uint32_t k = 4;
  std::set<std::string> all;
  add_orders({2, 2}, "", all);
  REQUIRE(all.size() == 6);
  for (const std::uint32_t d : {1U, 2U, 3U}) {
    const auto odds = static_cast<int>(2 * std::pow(k, d - 1));  // n k^(d-1)
    std::map<std::string, int> found;
    for (std::uint64_t seed = 0; seed < 1'000 * static_cast<std::uint64_t>(odds); ++seed) {
      auto strategy = begun(d, k, execution_seed(1, seed));
      testing::letters p{words};
      ++found[p.run(strategy, '*')];
    }
    for (const auto& order : all) {
      CAPTURE(d, order);
      const auto preemptions = preemptions_in(order, words);
      if (preemptions >= d)
        CHECK(found[order] == 0);  // the control: nothing is found by chance
      else                         // 1,000 at least, with a standard deviation of 32 at most
        CHECK(found[order] > 1'000 - 5 * 32);
    }
  }
  // And it is no better than that: this one meets it exactly.
  int exactly = 0;
  for (std::uint64_t seed = 0; seed < 32'000; ++seed) {
    auto strategy = begun(3, k, execution_seed(2, seed));
    testing::letters p{words};
    exactly += p.run(strategy, '*') == "0101" ? 1 : 0;
  }
  CHECK(std::abs(exactly - 1'000) < 5 * 32);
}

TEST_CASE("a change point may be any of the k steps, and comes before its step") {
  // With two tasks that never end, the one change shows as a switch, but for one at the first step.
  std::array<int, 13> at{};
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    auto strategy = begun(2, 10, execution_seed(1, seed));
    const auto tasks = enabled({0, 1});
    auto current = strategy.pick({tasks, no_task, false});
    std::size_t switched = 0;
    for (std::size_t step = 2; step <= 12; ++step) {
      const auto next = strategy.pick({tasks, current, false});
      if (next != current) switched = step;
      current = next;
    }
    ++at.at(switched);
  }
  // 1,000 each, with a standard deviation of 30.
  for (const std::size_t step : {0U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U})
    CHECK(std::abs(at.at(step) - 1'000) < 5 * 30);
  CHECK(at[1] + at[11] + at[12] == 0);
}

TEST_CASE("with d = 1 a bug of depth 2 is never found") {
  for (std::uint64_t i = 0; i < 22'000; ++i)
    REQUIRE_FALSE(finds_the_bug(begun(1, steps_in_all, execution_seed(1, i))));
}

TEST_CASE("two change points at one step are both used up there, and a pick is still made") {
  // With k = 1 all change points fall on the first step.
  auto strategy = begun(3, 1, 3);
  const auto tasks = enabled({0, 1, 2});
  CHECK(tasks.contains(strategy.pick({tasks, no_task, false})));
}

TEST_CASE("a spinning task is not run for ever: after the prefix the walk is fair") {
  constexpr std::uint32_t k = 10;
  constexpr int prefix = 4 * k;
  auto strategy = begun(1, k, 3);
  const auto tasks = enabled({0, 1});
  std::set<task_id> in_prefix;
  for (int i = 0; i < prefix; ++i) in_prefix.insert(strategy.pick({tasks, task_id{0}, false}));
  CHECK(in_prefix.size() == 1);
  // 1,000 picks of two: 500 each with a standard deviation of 16.
  int zeros = 0;
  for (int i = 0; i < 1000; ++i)
    zeros += strategy.pick({tasks, task_id{0}, false}) == task_id{0} ? 1 : 0;
  CHECK(std::abs(zeros - 500) < 5 * 16);
}

TEST_CASE("after the prefix no task is passed over for longer than the fair walk allows") {
  constexpr std::uint32_t k = 10;
  auto strategy = begun(1, k, 3);
  const auto tasks = enabled({0, 1, 2, 3, 4, 5, 6, 7});
  for (std::uint32_t i = 0; i < prefix_factor * k; ++i)
    (void)strategy.pick({tasks, no_task, false});
  std::array<int, 8> waited{};
  for (int i = 0; i < 5000; ++i) {
    const auto picked = strategy.pick({tasks, no_task, false});
    for (auto& w : waited) ++w;
    waited.at(index(picked)) = 0;
    for (const auto w : waited) REQUIRE(w <= 50 + 7);
  }
}

}  // namespace

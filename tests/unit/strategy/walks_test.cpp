// The walks that are not uniform: sticky, fair, round robin, delay-bounded.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "framework/strategy/delay_bounded.hpp"
#include "framework/strategy/fair_walk.hpp"
#include "framework/strategy/pct.hpp"
#include "framework/strategy/pos.hpp"
#include "framework/strategy/round_robin.hpp"
#include "framework/strategy/sticky_walk.hpp"
#include "framework/strategy/surw.hpp"
#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::strategy;
using forkloom::testing::enabled;

// The picks of that many steps, with always the same tasks enabled.
template <class Strategy>
std::vector<task_id> walk(Strategy strategy, const execution::task_set& tasks, std::size_t steps,
                          std::uint64_t seed = 1) {
  strategy.begin(seed);
  std::vector<task_id> picks;
  task_id current = no_task;
  for (std::size_t i = 0; i < steps; ++i) {
    current = strategy.pick({tasks, current, false});
    REQUIRE(tasks.contains(current));
    picks.push_back(current);
  }
  return picks;
}

std::size_t switches(const std::vector<task_id>& picks) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < picks.size(); ++i) count += picks[i] != picks[i - 1] ? 1 : 0;
  return count;
}

TEST_CASE("a sticky walk leaves the task that runs as seldom as it was told") {
  // Each of 20,000 steps draws anew with probability 1/10, and another task with 2/3 of that: 1,333
  // switches with a standard deviation of 35.
  const auto picks = walk(sticky_walk(10), enabled({0, 1, 2}), 20'000);
  CHECK(std::abs(static_cast<double>(switches(picks)) - 1333) < 5 * 35);
}

TEST_CASE("a sticky walk with runs of one step is the uniform walk") {
  const auto picks = walk(sticky_walk(1), enabled({0, 1}), 10'000);
  CHECK(std::abs(static_cast<double>(switches(picks)) - 5000) < 5 * 50);
}

TEST_CASE("a sticky walk leaves a task that yields, unless nobody else is enabled") {
  sticky_walk strategy(1'000'000);
  strategy.begin(1);
  for (int i = 0; i < 100; ++i)
    CHECK(strategy.pick({enabled({0, 1}), task_id{0}, true}) == task_id{1});
  CHECK(strategy.pick({enabled({0}), task_id{0}, true}) == task_id{0});
}

TEST_CASE("a sticky walk goes on when the task that ran is blocked") {
  sticky_walk strategy(1'000'000);
  strategy.begin(1);
  CHECK(strategy.pick({enabled({1, 2}), task_id{0}, false}) != task_id{0});
}

// The longest stretch of picks in which one task is not picked.
std::size_t longest_wait(const std::vector<task_id>& picks, task_id task) {
  std::size_t longest = 0;
  std::size_t now = 0;
  for (const auto picked : picks) {
    now = picked == task ? 0 : now + 1;
    longest = std::max(longest, now);
  }
  return longest;
}

TEST_CASE("a fair walk passes over no enabled task for longer than its bound and the others") {
  const auto tasks = enabled({0, 1, 2, 3, 4, 5, 6, 7});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto picks = walk(fair_walk(12), tasks, 5'000, seed);
    for (unsigned task = 0; task < 8; ++task) REQUIRE(longest_wait(picks, task_id(task)) <= 12 + 7);
  }
}

TEST_CASE("without a bound the same walk does pass over tasks for that long") {
  // The control of the test above: eight tasks, so a wait of 20 has probability (7/8)^20 = 7 % at
  // each step, and 5,000 steps miss it with probability below 10^-100.
  const auto picks = walk(random_walk{}, enabled({0, 1, 2, 3, 4, 5, 6, 7}), 5'000);
  CHECK(longest_wait(picks, task_id{0}) > 12 + 7);
}

TEST_CASE("a wait for fairness begins anew when a task was blocked") {
  fair_walk strategy(3);
  strategy.begin(1);
  std::array<int, 2> picks{};
  for (int i = 0; i < 3'000; ++i) {
    // Task 1 is enabled at every other step only, so it is never overdue.
    const auto tasks = i % 2 == 0 ? enabled({0, 1}) : enabled({0});
    ++picks.at(index(strategy.pick({tasks, no_task, false})));
  }
  // Half of 1,500 steps, with a standard deviation of 19.
  CHECK(std::abs(picks[1] - 750) < 5 * 19);
}

TEST_CASE("a fair walk uses its bound up, and then picks whoever waits longest") {
  // Of two tasks one is passed over three times with probability 1/8 each time.
  const auto two = walk(fair_walk(3), enabled({0, 1}), 5'000);
  CHECK(longest_wait(two, task_id{0}) == 3);
  CHECK(longest_wait(two, task_id{1}) == 3);
  // With a bound of one step all others are overdue at each step: they go in turn.
  const auto four = walk(fair_walk(1), enabled({0, 1, 2, 3}), 400);
  for (unsigned task = 0; task < 4; ++task) CHECK(longest_wait(four, task_id(task)) <= 4);
}

TEST_CASE("two delays at one step pass over two tasks") {
  // With k = 1 all delays fall on the first step.
  const auto first = [](std::uint32_t delays) {
    delay_bounded strategy(delays, 1);
    strategy.begin(1);
    return strategy.pick({enabled({0, 1, 2}), no_task, false});
  };
  CHECK(first(0) == task_id{0});
  CHECK(first(1) == task_id{1});
  CHECK(first(2) == task_id{2});
}

template <class Strategy>
std::vector<task_id> picks_of(Strategy& strategy, std::uint64_t seed) {
  strategy.begin(seed);
  std::vector<task_id> picks;
  auto current = no_task;
  for (int i = 0; i < 60; ++i) {
    current = strategy.pick({enabled({0, 1, 2, 3, 4, 5}), current, i % 7 == 6});
    picks.push_back(current);
  }
  return picks;
}

// Strategies are begun again for each execution.
template <class Strategy>
void forgets(Strategy strategy) {
  const auto first = picks_of(strategy, 1);
  for (std::uint64_t seed = 2; seed < 5; ++seed) (void)picks_of(strategy, seed);
  CHECK(picks_of(strategy, 1) == first);
}

TEST_CASE("a strategy that is begun anew remembers nothing of the execution before") {
  forgets(random_walk{});
  forgets(sticky_walk(5));
  forgets(fair_walk(8));
  forgets(round_robin(4));
  forgets(delay_bounded(2, 30));
  forgets(pct(3, 30));
  forgets(pct(2, 5));
  forgets(pos{});
  forgets(surw{});
}

TEST_CASE("round robin gives each task its turn, in order") {
  const auto t = [](unsigned n) { return task_id(n); };
  CHECK(walk(round_robin(1), enabled({0, 3, 5}), 5) ==
        std::vector<task_id>{t(0), t(3), t(5), t(0), t(3)});
  CHECK(walk(round_robin(2), enabled({0, 3}), 6) ==
        std::vector<task_id>{t(0), t(0), t(3), t(3), t(0), t(0)});
}

TEST_CASE("round robin cuts a turn short when its task yields or is blocked") {
  round_robin strategy(100);
  strategy.begin(1);
  CHECK(strategy.pick({enabled({0, 1, 2}), no_task, false}) == task_id{0});
  CHECK(strategy.pick({enabled({0, 1, 2}), task_id{0}, true}) == task_id{1});
  CHECK(strategy.pick({enabled({0, 2}), task_id{1}, false}) == task_id{2});
  CHECK(strategy.pick({enabled({0, 1, 2}), task_id{2}, false}) == task_id{2});
}

TEST_CASE("d delays make d switches where nothing waits") {
  // They may fall on one step: of two, in one execution of 1,000.
  const auto tasks = enabled({0, 1, 2, 3});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto count = switches(walk(delay_bounded(2, 1000), tasks, 1000, seed));
    CHECK(count <= 2);
    CHECK(count >= 1);
  }
}

TEST_CASE("without delays the tasks run one after the other, each to its end") {
  delay_bounded strategy(0, 100);
  strategy.begin(1);
  CHECK(strategy.pick({enabled({0, 1}), no_task, false}) == task_id{0});
  CHECK(strategy.pick({enabled({0, 1}), task_id{0}, false}) == task_id{0});
  CHECK(strategy.pick({enabled({1}), task_id{0}, false}) == task_id{1});
  CHECK(strategy.pick({enabled({0, 1}), task_id{1}, false}) == task_id{1});
  CHECK(strategy.pick({enabled({0, 1}), task_id{1}, true}) == task_id{0});
}

TEST_CASE("a task that spins after its delays is not run for ever") {
  constexpr std::uint32_t k = 10;
  const auto picks = walk(delay_bounded(2, k), enabled({0, 1, 2}), 400);
  for (unsigned task = 0; task < 3; ++task)
    CHECK(std::count(picks.begin() + prefix_factor * k, picks.end(), task_id(task)) > 50);
}

TEST_CASE("a delay may fall on any step of the estimated length") {
  std::array<int, 10> at{};
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    const auto picks = walk(delay_bounded(1, 10), enabled({0, 1}), 10, execution_seed(1, seed));
    const auto first =
        std::find_if(picks.begin(), picks.end(), [](task_id task) { return task != task_id{0}; });
    REQUIRE(first != picks.end());
    ++at.at(static_cast<std::size_t>(first - picks.begin()));
  }
  // 1,000 each, with a standard deviation of 30.
  for (const auto count : at) CHECK(std::abs(count - 1000) < 5 * 30);
}

}  // namespace

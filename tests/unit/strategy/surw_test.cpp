#include "framework/strategy/surw.hpp"

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "framework/strategy/random_walk.hpp"
#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"
#include "tests/unit/strategy/letters.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::strategy;
using forkloom::testing::enabled;
using forkloom::testing::letters;

// How often each order of the steps on `variable` came up in that many executions.
template <class Strategy>
std::map<std::string, int> orders(Strategy strategy, const std::vector<std::string>& words,
                                  char variable, std::uint64_t executions) {
  std::map<std::string, int> found;
  for (std::uint64_t i = 0; i < executions; ++i) {
    strategy.begin(execution_seed(1, i));
    letters program{words};
    ++found[program.run(strategy, variable)];
  }
  return found;
}

bool all_near(const std::map<std::string, int>& counts, double expected) {
  for (const auto& [order, count] : counts)
    if (std::abs(count - expected) > 5 * std::sqrt(expected)) return false;
  return true;
}

TEST_CASE("if all operations are interesting, all interleavings are equally likely") {
  // 2 and 3 steps: 10 interleavings, 1,000 times each with a standard deviation of 30.
  const auto found = orders(surw(surw::everything, {2, 3}), {"ab", "cde"}, '*', 10'000);
  CHECK(found.size() == 10);
  CHECK(all_near(found, 1000));
}

TEST_CASE("a uniform choice at each step is no uniform choice of an interleaving") {
  // The control: 00111 comes up in a quarter of the executions, 11100 in an eighth.
  const auto found = orders(random_walk{}, {"ab", "cde"}, '*', 10'000);
  CHECK_FALSE(all_near(found, 1000));
}

TEST_CASE("steps that are not interesting do not change how the interesting ones are ordered") {
  // As in the test of POS, where task 0 comes first in 1 of 9 executions, and in 1 of 256 of the
  // random walk.
  const auto found = orders(surw('x', {1, 1}), {"abcdefgx", "x"}, 'x', 10'000);
  CHECK(found.size() == 2);
  CHECK(all_near(found, 5000));
}

TEST_CASE("of three tasks all orders of the interesting steps are equally likely") {
  // 4! / 2! = 12 orders of two steps of task 0 and one each of the others.
  const auto found = orders(surw('x', {2, 1, 1}), {"axbx", "xcd", "efgx"}, 'x', 12'000);
  CHECK(found.size() == 12);
  CHECK(all_near(found, 1000));
}

TEST_CASE("all interleavings of the other steps come up, too") {
  const auto found = orders(surw('x', {1, 1}), {"ax", "bx"}, '*', 10'000);
  CHECK(found.size() == 6);
}

TEST_CASE("wrong estimates leave no interleaving out") {
  const auto too_low = orders(surw('x', {0, 0}), {"xx", "xx"}, 'x', 10'000);
  const auto too_high = orders(surw('x', {9, 1}), {"xx", "xx"}, 'x', 10'000);
  CHECK(too_low.size() == 6);
  CHECK(too_high.size() == 6);
}

TEST_CASE("the intended task is given up when it is blocked") {
  surw strategy(surw::everything, {5, 0});
  strategy.begin(1);
  CHECK(strategy.pick({enabled({0, 1}), no_task, false}) == task_id{0});
  // Only task 0 has steps left by the estimate, and it cannot make them.
  CHECK(strategy.pick({enabled({1}), task_id{0}, false}) == task_id{1});
}

TEST_CASE("a task that yields lets another one go on") {
  surw strategy(surw::everything, {1000, 1});
  strategy.begin(1);
  task_id current = no_task;
  for (int i = 0; i < 100; ++i) {
    const auto picked = strategy.pick({enabled({0, 1}), current, current == task_id{0}});
    if (current == task_id{0}) CHECK(picked == task_id{1});
    current = picked;
  }
}

TEST_CASE("who yields gives up the step that it was meant to take") {
  static constexpr std::uint32_t wanted = 7;
  struct abouts {
    std::array<std::uint32_t, 2> of;
    static std::uint32_t ask(const void* context, task_id task) noexcept {
      return static_cast<const abouts*>(context)->of.at(index(task));
    }
  };
  surw::counts steps{};
  steps[0] = 10'000;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    surw strategy(wanted, steps);
    strategy.begin(seed);
    const auto tasks = testing::enabled({0, 1});
    // Task 0 has all lots, and comes to its own step by another one, as task 1's is interesting.
    const abouts first{{5, wanted}};
    const auto picked = strategy.pick({tasks, no_task, false, {}, {abouts::ask, &first}});
    if (picked != task_id{0}) continue;  // one in 10,000
    CHECK(strategy.pick({tasks, task_id{0}, true, {}, {abouts::ask, &first}}) == task_id{1});
  }
}

}  // namespace

#include "framework/strategy/pos.hpp"

#include <array>
#include <cmath>
#include <map>
#include <string>

#include "framework/strategy/random_walk.hpp"
#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"
#include "tests/unit/strategy/letters.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::strategy;
using forkloom::testing::enabled;
using program = forkloom::testing::letters;

template <class Strategy>
int how_often(const std::vector<std::string>& words, char variable, const std::string& order) {
  int count = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Strategy strategy;
    strategy.begin(execution_seed(1, seed));
    program p{words};
    count += p.run(strategy, variable) == order ? 1 : 0;
  }
  return count;
}

TEST_CASE("steps that conflict with nothing do not change how the others are ordered") {
  // Task 0 comes to x after seven steps of its own, task 1 at once. Whoever is first at x is drawn
  // evenly by POS's own argument if the private steps are passed quickly; a random walk lets task 0
  // win only if it is picked eight times in a row.
  const std::vector<std::string> words{"abcdefgx", "x"};
  const auto by_pos = how_often<pos>(words, 'x', "01");
  const auto by_walk = how_often<random_walk>(words, 'x', "01");
  // Task 1's only operation keeps its priority r; each of task 0's eight must exceed it: the
  // integral of (1 - r)^8 is 1/9, or 1,111 of 10,000 with a standard deviation of 31.
  CHECK(std::abs(by_pos - 1111) < 5 * 31);
  // 1/256, or 39.
  CHECK(std::abs(by_walk - 39) < 5 * 6.3);
}

TEST_CASE("an operation that was passed by one that conflicts draws anew") {
  // Both tasks change x three times. Without new draws the task with the higher priority at first
  // would keep its advantage; with them each order of the 20 appears, and none too seldom.
  std::map<std::string, int> orders;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    pos strategy;
    strategy.begin(execution_seed(1, seed));
    program p{{"xxx", "xxx"}};
    ++orders[p.run(strategy, 'x')];
  }
  CHECK(orders.size() == 20);
  // As every step draws anew for both, this is the uniform walk: an order like 000111 has
  // probability 1/8 (the last three are forced), 010101 has 1/32.
  CHECK(std::abs(orders["000111"] - 1250) < 5 * 33);
  CHECK(std::abs(orders["010101"] - 312) < 5 * 18);
}

TEST_CASE("an operation that conflicts with nothing keeps its place") {
  // Three tasks with one private step each: the order is one draw, each of six as likely.
  std::map<std::string, int> orders;
  for (std::uint64_t seed = 0; seed < 6'000; ++seed) {
    pos strategy;
    strategy.begin(execution_seed(1, seed));
    auto left = enabled({0, 1, 2});
    std::string order;
    while (!left.empty()) {
      const auto picked = strategy.pick({left, no_task, false});
      order += std::to_string(index(picked));
      left.erase(picked);
    }
    ++orders[order];
  }
  CHECK(orders.size() == 6);
  for (const auto& [order, count] : orders) CHECK(std::abs(count - 1000) < 5 * 29);
}

TEST_CASE("a task that yields goes behind all that are enabled") {
  pos strategy;
  strategy.begin(7);
  for (int i = 0; i < 100; ++i)
    CHECK(strategy.pick({enabled({0, 1, 2}), task_id{1}, true}) != task_id{1});
}

}  // namespace

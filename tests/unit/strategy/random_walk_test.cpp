#include "framework/strategy/random_walk.hpp"

#include <array>
#include <cmath>

#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::strategy;
using forkloom::testing::enabled;

TEST_CASE("at every step each enabled task is equally likely, whoever runs") {
  // 40,000 picks of 4 tasks: 10,000 each, with a standard deviation of 87. All four counts lie
  // within 5 of them, but for one seed in 400,000.
  random_walk walk;
  walk.begin(1);
  const auto tasks = enabled({0, 7, 64, 1023});
  std::array<int, 1024> counts{};
  for (int i = 0; i < 40'000; ++i) ++counts.at(index(walk.pick({tasks, task_id{7}, false})));
  for (const std::size_t task : {0, 7, 64, 1023}) CHECK(std::abs(counts.at(task) - 10'000) < 433);
}

TEST_CASE("only enabled tasks are picked") {
  random_walk walk;
  walk.begin(1);
  const auto tasks = enabled({3, 900});
  for (int i = 0; i < 1000; ++i) CHECK(tasks.contains(walk.pick({tasks, task_id{0}, false})));
}

TEST_CASE("a task that yields is not picked while another is enabled; the others stay uniform") {
  // 10,000 picks of each of two: a standard deviation of 71.
  random_walk walk;
  walk.begin(1);
  const auto tasks = enabled({0, 1, 2});
  std::array<int, 3> counts{};
  for (int i = 0; i < 20'000; ++i) ++counts.at(index(walk.pick({tasks, task_id{1}, true})));
  CHECK(counts[1] == 0);
  CHECK(std::abs(counts[0] - 10'000) < 355);
}

TEST_CASE("a task that yields goes on if nobody else is enabled") {
  random_walk walk;
  walk.begin(1);
  CHECK(walk.pick({enabled({5}), task_id{5}, true}) == task_id{5});
}

TEST_CASE("a task that yields and is not enabled does not take another's place") {
  random_walk walk;
  walk.begin(1);
  CHECK(walk.pick({enabled({5}), task_id{2}, true}) == task_id{5});
}

TEST_CASE("the same seed makes the same walk, another seed another one") {
  const auto walked = [](std::uint64_t seed) {
    random_walk walk;
    walk.begin(99);  // begin() forgets what was before
    (void)walk.pick({enabled({0, 1}), task_id{0}, false});
    walk.begin(seed);
    std::vector<task_id> picks;
    for (int i = 0; i < 64; ++i) picks.push_back(walk.pick({enabled({0, 1}), task_id{0}, false}));
    return picks;
  };
  CHECK(walked(5) == walked(5));
  CHECK(walked(5) != walked(6));
}

}  // namespace

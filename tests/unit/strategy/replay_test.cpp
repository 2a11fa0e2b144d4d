#include "framework/strategy/replay.hpp"

#include <array>

#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"

namespace {

using namespace forkloom;
using forkloom::testing::enabled;
using strategy::replay;

constexpr std::array<task_id, 3> picks{task_id{1}, task_id{0}, task_id{2}};

replay begun() {
  replay made(picks.data(), picks.size());
  made.begin(0);
  return made;
}

TEST_CASE("a schedule is followed pick by pick") {
  auto strategy = begun();
  const auto tasks = enabled({0, 1, 2});
  for (const auto expected : picks) CHECK(strategy.pick({tasks, task_id{0}, false}) == expected);
  CHECK(strategy.departed_at() == replay::none);
}

TEST_CASE("the first pick that is not enabled is reported as the departure") {
  auto strategy = begun();
  (void)strategy.pick({enabled({0, 1, 2}), no_task, false});
  const auto instead = enabled({1, 2});
  CHECK(instead.contains(strategy.pick({instead, task_id{1}, false})));
  CHECK(strategy.departed_at() == 1);
  (void)strategy.pick({enabled({0, 1}), task_id{1}, false});
  CHECK(strategy.departed_at() == 1);
}

TEST_CASE("after its end the running task goes on, unless it yields or is blocked") {
  auto strategy = begun();
  const auto tasks = enabled({0, 1, 2});
  for (std::size_t i = 0; i < picks.size(); ++i) (void)strategy.pick({tasks, no_task, false});
  CHECK(strategy.pick({tasks, task_id{2}, false}) == task_id{2});
  CHECK(strategy.pick({tasks, task_id{2}, true}) == task_id{0});
  CHECK(strategy.pick({enabled({1}), task_id{2}, false}) == task_id{1});
  CHECK(strategy.departed_at() == replay::none);
}

TEST_CASE("a new execution begins at the first pick, with no departure") {
  auto strategy = begun();
  (void)strategy.pick({enabled({0}), no_task, false});
  CHECK(strategy.departed_at() == 0);
  strategy.begin(0);
  CHECK(strategy.departed_at() == replay::none);
  CHECK(strategy.pick({enabled({0, 1, 2}), no_task, false}) == picks[0]);
}

}  // namespace

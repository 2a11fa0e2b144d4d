#include "framework/strategy/user.hpp"

#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"

namespace {

using namespace forkloom;
using forkloom::testing::enabled;

struct last_come {
  void begin(std::uint64_t) noexcept {}
  unsigned pick(const strategy_choice& c) noexcept { return c.enabled(c.size() - 1); }
};

// Counts its own calls; the number behind its name is where it begins.
struct counting {
  counting() = default;
  explicit counting(std::uint32_t from) noexcept : next(from) {}
  void begin(std::uint64_t seed) noexcept { begun = seed; }
  unsigned pick(const strategy_choice&) noexcept { return next++; }
  std::uint64_t draw(std::uint64_t bound) noexcept { return begun % bound; }
  std::uint32_t next = 0;
  std::uint64_t begun = 0;
};

template <class Strategy>
strategy::user made(std::uint32_t number = 0, bool has_number = false) {
  strategy::user s(forkloom::detail::functions_of<Strategy>("it", "a test"), number, has_number);
  s.begin(7);
  return s;
}

TEST_CASE("a strategy of the user's picks") {
  auto s = made<last_come>();
  CHECK(s.pick({enabled({0, 2, 5}), task_id{0}, false}) == task_id{5});
  CHECK(s.pick({enabled({0, 2}), task_id{5}, false}) == task_id{2});
  CHECK(s.wrong_step() == 0);
}

TEST_CASE("a strategy of the user's keeps its state, also when it is copied") {
  auto s = made<counting>();
  CHECK(s.pick({enabled({0, 1, 2}), no_task, false}) == task_id{0});
  auto copy = s;
  CHECK(s.pick({enabled({0, 1, 2}), no_task, false}) == task_id{1});
  CHECK(copy.pick({enabled({0, 1, 2}), no_task, false}) == task_id{1});
}

TEST_CASE("a strategy of the user's begins with the seed, and may draw") {
  CHECK(made<counting>().draw(5) == 2);
  CHECK(made<last_come>().draw(5) == 0);
}

TEST_CASE("the number behind the name goes to the constructor") {
  CHECK(made<counting>(2, true).pick({enabled({0, 1, 2}), no_task, false}) == task_id{2});
  CHECK(forkloom::detail::functions_of<counting>("", "").takes_number);
  CHECK_FALSE(forkloom::detail::functions_of<last_come>("", "").takes_number);
}

TEST_CASE("a pick that is not enabled is noted, and another task goes") {
  auto s = made<counting>();
  CHECK(s.pick({enabled({0, 1}), no_task, false}) == task_id{0});
  CHECK(s.pick({enabled({0}), no_task, false}) == task_id{0});
  CHECK(s.wrong_step() == 2);
  CHECK(s.wrong_pick() == task_id{1});
  CHECK(s.pick({enabled({0}), no_task, false}) == task_id{0});
  CHECK(s.wrong_step() == 2);
  s.begin(7);
  CHECK(s.wrong_step() == 0);
}

TEST_CASE("a pick that is no task at all does no harm") {
  auto s = made<counting>(4'000'000'000U, true);
  CHECK(s.pick({enabled({3}), no_task, false}) == task_id{3});
  CHECK(s.wrong_step() == 1);
}

struct looks {
  void begin(std::uint64_t) noexcept {}
  unsigned pick(const strategy_choice& c) noexcept {
    const bool as_it_is = c.size() == 2 && c.enabled(0) == 1 && c.enabled(1) == 4 &&
                          c.is_enabled(4) && !c.is_enabled(0) && !c.is_enabled(70'000) &&
                          c.current() == 4 && c.yields() && c.conflict(1, 4) && !c.conflict(1, 1);
    return as_it_is ? 4 : 1;
  }
};

TEST_CASE("a choice tells all that there is to it") {
  auto s = made<looks>();
  const auto differ = [](const void*, task_id one, task_id other) noexcept { return one != other; };
  CHECK(s.pick({enabled({1, 4}), task_id{4}, true, {differ, nullptr}}) == task_id{4});
}

TEST_CASE("no current task is none") {
  struct first_of_all {
    void begin(std::uint64_t) noexcept {}
    unsigned pick(const strategy_choice& c) noexcept {
      return c.current() == strategy_choice::none ? c.enabled(0) : 99;
    }
  };
  auto s = made<first_of_all>();
  CHECK(s.pick({enabled({1, 4}), no_task, false}) == task_id{1});
  CHECK(s.wrong_step() == 0);
}

}  // namespace

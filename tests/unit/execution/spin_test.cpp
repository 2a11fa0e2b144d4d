#include "framework/execution/spin.hpp"

#include <cstdint>

#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using execution::spin_watch;
using enum operation;

constexpr resource_id flag{0};
constexpr resource_id other{1};

void look_at(spin_watch& w, std::uint32_t times, resource_id at = flag, std::uint64_t value = 0) {
  for (std::uint32_t i = 0; i < times; ++i) w.completed(load, at, value, false);
}

// The first look is news, the others are not.
constexpr auto enough = spin_watch::spinning_looks + 1;

TEST_CASE("who looks often and sees the same spins; one look fewer, and it does not") {
  spin_watch w;
  look_at(w, enough - 1);
  CHECK_FALSE(w.spins());
  look_at(w, 1);
  CHECK(w.spins());
  CHECK_FALSE(w.waits_for_time());
  REQUIRE(w.places().size() == 1);
  CHECK(w.places()[0] == flag);
}

TEST_CASE("another value, an own change and any other operation are news") {
  spin_watch w;
  look_at(w, enough);
  look_at(w, 1, flag, 1);
  CHECK_FALSE(w.spins());
  look_at(w, enough, flag, 1);
  CHECK(w.spins());
  w.completed(modify, flag, 1, true);
  CHECK_FALSE(w.spins());
  look_at(w, enough, flag, 1);
  w.completed(sem_post, other, 0, true);
  CHECK_FALSE(w.spins());
  CHECK(w.places().empty());
}

TEST_CASE("yields, looks at the clock and exchanges that fail are looks, too") {
  spin_watch w;
  for (int i = 0; i < 11; ++i) {
    w.completed(modify, flag, 1, false);
    w.completed(yield, no_resource, 0, true);
    w.completed(clock_read, no_resource, 0, true);
  }
  CHECK(w.spins());
}

TEST_CASE("a loop may look at several places, but not at many") {
  spin_watch w;
  for (std::uint32_t i = 0; i < enough; ++i) {
    look_at(w, 1, flag);
    look_at(w, 1, other);
  }
  CHECK(w.spins());
  CHECK(w.places().size() == 2);
  spin_watch walks;
  for (int round = 0; round < 100; ++round)
    for (std::uint32_t i = 0; i < 9; ++i) look_at(walks, 1, resource_id{i});
  CHECK_FALSE(walks.spins());
}

TEST_CASE("after many more looks it waits for time") {
  spin_watch w;
  look_at(w, spin_watch::patient_looks);
  CHECK_FALSE(w.waits_for_time());
  look_at(w, 1);
  CHECK(w.waits_for_time());
}

TEST_CASE("that a task spins is news once, until it has done something else") {
  spin_watch w;
  look_at(w, enough);
  CHECK(w.is_news());
  look_at(w, 1);
  CHECK_FALSE(w.is_news());
  w.completed(store, flag, 0, true);
  look_at(w, enough);
  CHECK(w.is_news());
}

}  // namespace

#include "framework/execution/journal.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using execution::journal;
using execution::journal_page;
using execution::journal_writer;

constexpr task_id one{0};
constexpr task_id other{1023};

// A journal with its pages, and two that write into it.
struct desk {
  static constexpr std::size_t page_count = 1000;
  std::unique_ptr<std::array<journal_page, page_count>> pages =
      std::make_unique<std::array<journal_page, page_count>>();
  journal j{*pages};
  journal_writer here;
  journal_writer there;
};

// The events in their order, each told by its `result`.
std::vector<std::int64_t> results(const journal& j) {
  std::vector<std::int64_t> found(j.event_count(), -1);
  j.for_each_event([&](std::uint32_t number, const event& e) { found.at(number) = e.result; });
  return found;
}

std::vector<task_id> picks(const journal& j) {
  std::vector<task_id> found(j.pick_count(), no_task);
  j.for_each_pick([&](const auto& pick) { found.at(pick.number) = pick.task; });
  return found;
}

bool write(journal& j, journal_writer& by, std::int64_t result) {
  auto* e = j.add_event(by);
  if (e == nullptr) return false;
  *e = event{.result = result};
  return true;
}

TEST_CASE("a journal keeps the order of events across their writers") {
  desk d;
  std::vector<std::int64_t> expected;
  for (int i = 0; i < 500; ++i) {
    REQUIRE(write(d.j, i % 3 == 0 ? d.here : d.there, i));
    expected.push_back(i);
  }
  CHECK(results(d.j) == expected);
}

TEST_CASE("a journal keeps the order of picks across their writers") {
  desk d;
  std::vector<task_id> expected;
  for (int i = 0; i < 500; ++i) {
    const auto picked = i % 2 == 0 ? other : one;
    REQUIRE(d.j.add_pick(i % 7 == 0 ? d.there : d.here, picked, pick_kind::usual));
    expected.push_back(picked);
  }
  CHECK(picks(d.j) == expected);
}

TEST_CASE("a journal keeps the order of draws across their writers, and all that is in them") {
  desk d;
  constexpr std::uint32_t count = 500;
  for (std::uint32_t i = 0; i < count; ++i)
    REQUIRE(d.j.add_draw(i % 5 == 0 ? d.there : d.here,
                         {.step = i / 2, .value = i % 3, .bound = i + 2}));
  REQUIRE(d.j.draw_count() == count);
  std::vector<bool> seen(count);
  d.j.for_each_draw([&](const auto& draw) {
    const auto i = draw.number;
    seen.at(i) = draw.step == i / 2 && draw.value == i % 3 && draw.bound == i + 2;
  });
  CHECK(std::find(seen.begin(), seen.end(), false) == seen.end());
}

TEST_CASE("each pick keeps how it stands to the usual one") {
  desk d;
  REQUIRE(d.j.add_pick(d.here, one, pick_kind::preemption));
  REQUIRE(d.j.add_pick(d.here, one, pick_kind::usual));
  std::vector<pick_kind> kinds;
  d.j.for_each_pick([&](const auto& pick) { kinds.push_back(pick.kind); });
  CHECK(kinds == std::vector{pick_kind::preemption, pick_kind::usual});
}

TEST_CASE("two writers share no page") {
  desk d;
  const auto page = [](const event* e) {
    return reinterpret_cast<std::uintptr_t>(e) / execution::page_size;  // NOLINT: its page
  };
  const auto* first = d.j.add_event(d.here);
  const auto* second = d.j.add_event(d.there);
  const auto* third = d.j.add_event(d.here);
  CHECK(page(first) != page(second));
  CHECK(page(first) == page(third));
}

TEST_CASE("a full journal says so, and loses nothing that it took") {
  desk d;
  std::int64_t taken = 0;
  while (write(d.j, d.here, taken)) ++taken;
  CHECK(taken == desk::page_count * journal_page::event_capacity);
  CHECK(results(d.j).back() == taken - 1);
  CHECK_FALSE(d.j.add_pick(d.there, one, pick_kind::usual));
  CHECK_FALSE(d.j.add_draw(d.there, {.bound = 2}));
}

TEST_CASE("a journal that was reset is empty and can be filled anew") {
  desk d;
  while (write(d.j, d.here, 1)) continue;
  d.j.reset();
  d.here = {};
  CHECK(d.j.event_count() == 0);
  CHECK(d.j.draw_count() == 0);
  CHECK(results(d.j).empty());
  CHECK(write(d.j, d.here, 7));
  CHECK(results(d.j) == std::vector<std::int64_t>{7});
}

}  // namespace

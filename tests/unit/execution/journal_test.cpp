#include "framework/execution/journal.hpp"

#include <memory>
#include <vector>

#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using execution::journal;
using execution::journal_page;

constexpr task_id one{0};
constexpr task_id other{1023};

// The events in their order, each told by its `result`.
std::vector<std::int64_t> results(const journal& j) {
  std::vector<std::int64_t> found(j.event_count(), -1);
  j.for_each_event([&](std::uint32_t number, const event& e) { found.at(number) = e.result; });
  return found;
}

std::vector<task_id> picks(const journal& j) {
  std::vector<task_id> found(j.pick_count(), no_task);
  j.for_each_pick([&](std::uint32_t number, task_id task) { found.at(number) = task; });
  return found;
}

bool write(journal& j, task_id task, std::int64_t result) {
  auto* e = j.add_event(task);
  if (e == nullptr) return false;
  *e = event{.result = result, .task = task};
  return true;
}

TEST_CASE("a journal keeps the order of events across their writers") {
  const auto j = std::make_unique<journal>();
  std::vector<std::int64_t> expected;
  for (int i = 0; i < 500; ++i) {
    REQUIRE(write(*j, i % 3 == 0 ? one : other, i));
    expected.push_back(i);
  }
  CHECK(results(*j) == expected);
}

TEST_CASE("a journal keeps the order of picks, also of those that nobody made") {
  const auto j = std::make_unique<journal>();
  std::vector<task_id> expected;
  for (int i = 0; i < 500; ++i) {
    const auto picked = i % 2 == 0 ? other : one;
    REQUIRE(j->add_pick(i % 7 == 0 ? no_task : one, picked));
    expected.push_back(picked);
  }
  CHECK(picks(*j) == expected);
}

TEST_CASE("two writers share no page") {
  const auto j = std::make_unique<journal>();
  const auto page = [](const event* e) {
    return reinterpret_cast<std::uintptr_t>(e) / execution::page_size;  // NOLINT: its page
  };
  const auto* first = j->add_event(one);
  const auto* second = j->add_event(other);
  const auto* third = j->add_event(one);
  CHECK(page(first) != page(second));
  CHECK(page(first) == page(third));
}

TEST_CASE("a full journal says so, and loses nothing that it took") {
  const auto j = std::make_unique<journal>();
  std::int64_t taken = 0;
  while (write(*j, one, taken)) ++taken;
  CHECK(taken >= 1'000'000);
  CHECK(results(*j).back() == taken - 1);
  CHECK_FALSE(j->add_pick(other, one));
}

TEST_CASE("a journal that was reset is empty and can be filled anew") {
  const auto j = std::make_unique<journal>();
  while (write(*j, one, 1)) continue;
  j->reset();
  CHECK(j->event_count() == 0);
  CHECK(results(*j).empty());
  CHECK(write(*j, one, 7));
  CHECK(results(*j) == std::vector<std::int64_t>{7});
}

}  // namespace

// What the checkers make of locks on files.
#include "framework/trace/record_range.hpp"

#include "checkers/lock_book.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_deadlock;
using checkers::check_leak;
using checkers::check_starvation;

values asks(std::uint64_t first, std::uint64_t last, bool shared = false) {
  const record_range range{.first = first, .last = last, .shared = shared};
  return {.before = first_number(range), .after = second_number(range)};
}

struct two_on_a_file {
  trace_builder b;
  task_id one = b.task("teller 0");
  task_id other = b.task("teller 1");
  resource_id records = b.resource("accounts.db", resource_kind::record_lock);
  resource_id flocks = b.resource("orders", resource_kind::file_lock);

  std::size_t lock(task_id task, std::uint64_t first, std::uint64_t last, bool shared = false) {
    return b.does(task, operation::record_lock, records, asks(first, last, shared));
  }
  std::size_t unlock(task_id task, std::uint64_t first, std::uint64_t last) {
    return b.does(task, operation::record_unlock, records, asks(first, last));
  }
  std::size_t waits(task_id task, std::uint64_t first, std::uint64_t last,
                    std::vector<task_id> holders) {
    const auto at = b.waits(task, operation::record_lock, records, std::move(holders));
    b.raw().events[at].before = asks(first, last).before;
    b.raw().events[at].after = asks(first, last).after;
    return at;
  }
  [[nodiscard]] std::size_t held_by(task_id task) const {
    checkers::lock_book book(b.done());
    for (std::size_t i = 0; i < b.done().events.size(); ++i) book.take(i);
    return book.held_by(task).size();
  }
};

TEST_CASE("a deadlock of record locks is told with the ranges and their owners") {
  two_on_a_file f;
  f.lock(f.one, 0, 99);
  f.lock(f.other, 100, 199);
  f.waits(f.one, 100, 199, {f.other});
  f.waits(f.other, 7, 7, {f.one});
  f.b.raw().how = ending::stuck;
  const auto found = check_deadlock(f.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "teller 0 waits for accounts.db 100–199 held by teller 1 and "
        "teller 1 waits for accounts.db 7 held by teller 0");
  CHECK(tells(found[0], "teller 0 holds accounts.db 0–99, taken at code.cpp:0"));
}

TEST_CASE("a task that locks a file twice, each time opened anew, waits for itself") {
  two_on_a_file f;
  f.b.does(f.one, operation::flock, f.flocks);
  f.b.waits(f.one, operation::flock, f.flocks, {f.one});
  f.b.ends(f.other);
  f.b.raw().how = ending::stuck;
  const auto found = check_deadlock(f.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "teller 0 waits for orders held by itself");
}

TEST_CASE("a range is held until all of it is unlocked") {
  two_on_a_file f;
  f.lock(f.one, 0, 99);
  f.unlock(f.one, 10, 20);
  CHECK(f.held_by(f.one) == 1);
  f.unlock(f.one, 0, record_range::end_of_file);
  CHECK(f.held_by(f.one) == 0);
}

TEST_CASE("a close that drops a process's record locks leaves it none") {
  two_on_a_file f;
  f.lock(f.one, 0, 99);
  f.b.does(f.one, operation::close, no_resource,
           {.before = 5, .after = closed_process_records, .second = f.records});
  CHECK(f.held_by(f.one) == 0);
}

TEST_CASE("a lock on a file that is held at the end is no leak") {
  two_on_a_file f;
  f.lock(f.one, 0, 99);
  f.b.does(f.one, operation::flock, f.flocks);
  f.b.ends(f.one);
  f.b.ends(f.other);
  CHECK(check_leak(f.b.done(), {}).empty());
}

TEST_CASE("a lock file that is left behind is a leak of whoever made it last") {
  two_on_a_file f;
  const auto name = f.b.resource("printer.lock", resource_kind::directory_entry);
  f.b.does(f.one, operation::open, name, {.result = 1});
  f.b.does(f.one, operation::unlink, name);
  const auto made = f.b.does(f.other, operation::open, name, {.result = 1});
  f.b.raw().leftovers.push_back({"file printer.lock", name});
  const auto found = check_leak(f.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"teller 1"});
  CHECK(found[0].evidence == indices{made});
}

// Another task locks and unlocks bytes again and again while the first one waits.
std::size_t starvations(std::uint64_t first, std::uint64_t last) {
  two_on_a_file f;
  const auto third = f.b.task("teller 2");
  f.lock(third, 0, 9, true);
  auto& blocked = f.b.raw().events[f.b.blocks(f.one, operation::record_lock, f.records)];
  blocked.before = asks(0, 9).before;
  blocked.after = asks(0, 9).after;
  // Only the end of each lock would let the waiter look again.
  f.lock(f.other, first, last, true);
  return check_starvation(f.b.done(), {.bypass_max = 0}).size();
}

TEST_CASE("a waiter for a range is overtaken only by those who lock some of it") {
  CHECK(starvations(5, 20) == 1);
  CHECK(starvations(10, 20) == 0);
}

}  // namespace

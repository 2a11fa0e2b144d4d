#include <cerrno>

#include "framework/trace/record_range.hpp"
#include "framework/trace/semaphore_operations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_lock_order;

struct office {
  trace_builder b;
  task_id clerk = b.task("clerk");
  task_id cashier = b.task("cashier");
  task_id guard = b.task("guard");
  resource_id ledger = b.mutex("ledger");
  resource_id safe = b.mutex("safe");
  resource_id gate = b.mutex("gate");

  std::size_t lock(task_id task, resource_id m, operation op = operation::mutex_lock) {
    return b.does(task, op, m);
  }
  void unlock(task_id task, resource_id m) { b.does(task, operation::mutex_unlock, m); }

  // Takes one, then the other, and gives both back.
  indices nest(task_id task, resource_id outer, resource_id inner,
               operation op = operation::mutex_lock, values v = {}) {
    indices taken{lock(task, outer), b.does(task, op, inner, v)};
    unlock(task, inner);
    unlock(task, outer);
    return taken;
  }

  [[nodiscard]] std::vector<violation> found() const { return check_lock_order(b.done(), {}); }
};

TEST_CASE("two locks taken in opposite order are a possible deadlock") {
  office o;
  const auto one = o.nest(o.clerk, o.ledger, o.safe);
  const auto other = o.nest(o.cashier, o.safe, o.ledger);
  const auto found = o.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::lock_order);
  CHECK(found[0].message ==
        "a deadlock is possible, though it did not come to that: clerk takes ledger and then safe "
        "at code.cpp:1 and cashier takes safe and then ledger at code.cpp:5");
  CHECK(found[0].tasks == strings{"clerk", "cashier"});
  CHECK(found[0].resource == "ledger");
  CHECK(found[0].evidence == indices{one[0], one[1], other[0], other[1]});
  CHECK(tells(found[0], "cashier held safe, taken at code.cpp:4, at its lock of ledger"));
}

TEST_CASE("the same order is none, and neither are both orders by one task") {
  office o;
  o.nest(o.clerk, o.ledger, o.safe);
  o.nest(o.cashier, o.ledger, o.safe);
  CHECK(o.found().empty());
  office one;
  one.nest(one.clerk, one.ledger, one.safe);
  one.nest(one.clerk, one.safe, one.ledger);
  CHECK(one.found().empty());
}

TEST_CASE("a lock that is given back before the next one is taken is no nesting") {
  office o;
  o.nest(o.clerk, o.ledger, o.safe);
  o.lock(o.cashier, o.safe);
  o.unlock(o.cashier, o.safe);
  o.lock(o.cashier, o.ledger);
  CHECK(o.found().empty());
}

TEST_CASE("three tasks can close a circle that no two do") {
  office o;
  o.nest(o.clerk, o.ledger, o.safe);
  o.nest(o.cashier, o.safe, o.gate);
  o.nest(o.guard, o.gate, o.ledger);
  const auto found = o.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"clerk", "cashier", "guard"});
}

TEST_CASE("a gate lock keeps the two apart, unless only one takes it") {
  office o;
  o.lock(o.clerk, o.gate);
  o.nest(o.clerk, o.ledger, o.safe);
  o.unlock(o.clerk, o.gate);
  const bool both = GENERATE(true, false);
  if (both) o.lock(o.cashier, o.gate);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.found().size() == (both ? 0 : 1));
}

TEST_CASE("a gate that both only read keeps nobody apart") {
  office o;
  const auto gate = o.b.resource("turnstile", resource_kind::rwlock);
  const auto op = GENERATE(operation::rwlock_rdlock, operation::rwlock_wrlock);
  o.lock(o.clerk, gate, op);
  o.nest(o.clerk, o.ledger, o.safe);
  o.b.does(o.clerk, operation::rwlock_unlock, gate);
  o.lock(o.cashier, gate, op);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.found().size() == (op == operation::rwlock_rdlock ? 1 : 0));
}

TEST_CASE("what the program orders cannot deadlock; what only its locks ordered can") {
  office o;
  const auto done = o.b.resource("done", resource_kind::semaphore);
  const bool waits = GENERATE(true, false);
  o.nest(o.clerk, o.ledger, o.safe);
  o.b.does(o.clerk, operation::sem_post, done);
  if (waits) o.b.does(o.cashier, operation::sem_wait, done);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.found().size() == (waits ? 0 : 1));
}

TEST_CASE("who only tries, or waits for a limited time, gets out of it") {
  office tried;
  tried.nest(tried.clerk, tried.ledger, tried.safe, operation::mutex_trylock);
  tried.nest(tried.cashier, tried.safe, tried.ledger);
  CHECK(tried.found().empty());
  office timed;
  timed.nest(timed.clerk, timed.ledger, timed.safe, operation::mutex_lock, {.before = 1});
  timed.nest(timed.cashier, timed.safe, timed.ledger);
  CHECK(timed.found().empty());
}

TEST_CASE("a lock that was tried for is held like any other") {
  office o;
  o.lock(o.clerk, o.ledger, operation::mutex_trylock);
  o.lock(o.clerk, o.safe);
  o.unlock(o.clerk, o.safe);
  o.unlock(o.clerk, o.ledger);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.found().size() == 1);
}

TEST_CASE("readers do not keep each other out, writers do") {
  const auto nests = [](operation clerks, operation cashiers) {
    office o;
    const auto lock = o.b.resource("accounts", resource_kind::rwlock);
    o.nest(o.clerk, o.ledger, lock, clerks);
    o.b.does(o.clerk, operation::rwlock_unlock, lock);
    o.lock(o.cashier, lock, cashiers);
    o.lock(o.cashier, o.ledger);
    return o.found().size();
  };
  CHECK(nests(operation::rwlock_rdlock, operation::rwlock_rdlock) == 0);
  CHECK(nests(operation::rwlock_rdlock, operation::rwlock_wrlock) == 1);
  CHECK(nests(operation::rwlock_wrlock, operation::rwlock_rdlock) == 1);
}

TEST_CASE("a semaphore that is taken and given back by the same task is a lock") {
  office o;
  const auto s = o.b.resource("token", resource_kind::semaphore);
  const bool posted_by_another = GENERATE(false, true);
  o.lock(o.clerk, o.ledger);
  o.b.does(o.clerk, operation::sem_wait, s);
  o.b.does(posted_by_another ? o.guard : o.clerk, operation::sem_post, s);
  o.unlock(o.clerk, o.ledger);
  o.b.does(o.cashier, operation::sem_wait, s);
  o.lock(o.cashier, o.ledger);
  CHECK(o.found().size() == (posted_by_another ? 0 : 1));
}

TEST_CASE("a semaphore that is kept longer than a lock it was taken under is no lock") {
  office o;
  const auto empty = o.b.resource("empty", resource_kind::semaphore);
  const bool kept = GENERATE(false, true);
  o.lock(o.clerk, o.ledger);
  o.b.does(o.clerk, operation::sem_wait, empty);
  if (kept) o.unlock(o.clerk, o.ledger);
  o.b.does(o.clerk, operation::sem_post, empty);
  if (!kept) o.unlock(o.clerk, o.ledger);
  o.b.does(o.cashier, operation::sem_wait, empty);
  o.lock(o.cashier, o.ledger);
  CHECK(o.found().size() == (kept ? 0 : 1));
}

// A set of semaphores of System V.
struct shelf : office {
  resource_id tools = b.resource("tools", resource_kind::system_v_semaphore);

  std::size_t changes(task_id task, std::uint16_t number, std::int16_t by, std::uint64_t more = 0,
                      bool undone = false) {
    semaphore_operations all;
    all.add({number, by, undone});
    return b.does(task, operation::semop, tools,
                  {.before = all.before(), .after = all.after() | more});
  }
  // Takes one, then the other, and gives both back.
  indices nests(task_id task, std::uint16_t outer, std::uint16_t inner, std::uint64_t more = 0,
                bool undone = false) {
    indices taken{changes(task, outer, -1, 0, undone), changes(task, inner, -1, more, undone)};
    changes(task, inner, +1, 0, undone);
    changes(task, outer, +1, 0, undone);
    return taken;
  }
};

TEST_CASE("two semaphores of a set, each used as a lock, are two locks") {
  shelf s;
  const auto one = s.nests(s.clerk, 0, 1);
  const bool opposite = GENERATE(true, false);
  const auto other = s.nests(s.cashier, opposite ? 1 : 0, opposite ? 0 : 1);
  const auto found = s.found();
  REQUIRE(found.size() == (opposite ? 1 : 0));
  if (!opposite) return;
  CHECK(found[0].message ==
        "a deadlock is possible, though it did not come to that: clerk takes semaphore 0 of tools "
        "and then semaphore 1 of tools at code.cpp:1 and cashier takes semaphore 1 of tools and "
        "then semaphore 0 of tools at code.cpp:5");
  CHECK(found[0].resource == "tools");
  CHECK(found[0].evidence == indices{one[0], one[1], other[0], other[1]});
}

TEST_CASE("a semaphore of a set that counts, or is changed in other ways, is no lock") {
  shelf s;
  const auto how = GENERATE(0, 1, 2, 3, 4, 5, 6, 7);
  CAPTURE(how);
  const auto limited = how == 1 ? limited_semop : 0;
  const auto left =
      how == 2 ? number_of_left(1) << left_in_set_shift : number_of_left(0) << left_in_set_shift;
  if (how == 7) {  // more than an event can tell
    semaphore_operations many;
    for (std::uint16_t n = 5; n < 9; ++n) many.add({n, -1, false});
    s.b.does(s.guard, operation::semop, s.tools, {.before = many.before(), .after = many.after()});
  }
  if (how == 3) s.b.does(s.clerk, operation::semctl, s.tools, {.before = 16, .after = 1});
  s.nests(s.clerk, 0, 1, limited | left);
  if (how == 3) s.b.does(s.clerk, operation::semctl, s.tools, {.before = 16, .after = 1});
  if (how == 4) s.changes(s.clerk, 0, 0);
  if (how == 5) {
    semaphore_operations both;
    both.add({0, -1, false});
    both.add({1, -1, false});
    s.b.does(s.clerk, operation::semop, s.tools, {.before = both.before(), .after = both.after()});
  }
  if (how == 6) s.changes(s.guard, 1, +1);
  s.nests(s.cashier, 1, 0);
  CHECK(s.found().size() == (how == 0 ? 1 : 0));
}

TEST_CASE("the first post of a semaphore of a set may be how it is made") {
  shelf s;
  const bool again = GENERATE(false, true);
  s.changes(s.guard, 0, +1);
  if (again) s.changes(s.guard, 0, +1);
  s.changes(s.guard, 1, +1);
  s.nests(s.clerk, 0, 1);
  s.nests(s.cashier, 1, 0);
  CHECK(s.found().size() == (again ? 0 : 1));
}

TEST_CASE("a post that is taken and never given back orders as the program means it") {
  shelf s;
  s.nest(s.clerk, s.ledger, s.safe);
  s.changes(s.clerk, 0, +1);
  const bool waits = GENERATE(true, false);
  if (waits) s.changes(s.cashier, 0, -1);
  s.nest(s.cashier, s.safe, s.ledger);
  CHECK(s.found().size() == (waits ? 0 : 1));
}

TEST_CASE("whoever takes a semaphore comes after the post that it begins with") {
  shelf s;
  s.nest(s.clerk, s.ledger, s.safe);
  const bool made = GENERATE(true, false);
  if (made) s.changes(s.clerk, 0, +1);
  s.changes(s.cashier, 0, -1);
  s.nest(s.cashier, s.safe, s.ledger);
  s.changes(s.cashier, 0, +1);
  CHECK(s.found().size() == (made ? 0 : 1));
}

TEST_CASE("the kernel gives back what is to be undone when its process ends, and nothing else") {
  shelf s;
  const bool undone = GENERATE(true, false);
  s.changes(s.guard, 0, -1, 0, undone);
  s.b.dies(s.guard, {.kind = task_end::how::signalled, .code = 9});
  s.nests(s.clerk, 0, 1, 0, true);
  s.b.ends(s.clerk);
  s.nests(s.cashier, 1, 0, 0, true);
  CHECK(s.found().size() == (undone ? 1 : 0));
}

TEST_CASE("a POSIX semaphore that two could have taken is no lock") {
  office o;
  const auto s = o.b.resource("token", resource_kind::semaphore);
  const auto left = GENERATE(0, 1);
  o.lock(o.clerk, o.ledger);
  o.b.does(o.clerk, operation::sem_wait, s, {.after = number_of_left(left)});
  o.b.does(o.clerk, operation::sem_post, s);
  o.unlock(o.clerk, o.ledger);
  o.b.does(o.cashier, operation::sem_wait, s, {.after = number_of_left(0)});
  o.lock(o.cashier, o.ledger);
  CHECK(o.found().size() == (left == 0 ? 1 : 0));
}

TEST_CASE("a semaphore that a second one takes before it is given back is no lock") {
  office o;
  const auto s = o.b.resource("token", resource_kind::semaphore);
  const bool second = GENERATE(false, true);
  o.lock(o.clerk, o.ledger);
  o.b.does(o.clerk, operation::sem_wait, s);
  o.b.does(o.clerk, operation::sem_post, s);
  o.unlock(o.clerk, o.ledger);
  if (second) o.b.does(o.guard, operation::sem_wait, s);
  o.b.does(o.cashier, operation::sem_wait, s);
  o.lock(o.cashier, o.ledger);
  CHECK(o.found().size() == (second ? 0 : 1));
}

TEST_CASE("what condition waits give up and take again does not order the locks") {
  office o;
  const auto one = o.b.resource("one", resource_kind::condition);
  const auto other = o.b.resource("other", resource_kind::condition);
  o.nest(o.clerk, o.ledger, o.safe);
  o.lock(o.clerk, o.gate);
  o.b.blocks(o.clerk, operation::cond_wait, one, o.gate);
  o.lock(o.cashier, o.gate);
  o.b.blocks(o.cashier, operation::cond_wait, other, o.gate);
  o.b.does(o.cashier, operation::cond_wait, other, {.result = ETIMEDOUT, .second = o.gate});
  o.unlock(o.cashier, o.gate);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.found().size() == 1);
}

TEST_CASE("a condition wait gives its mutex up, and takes it again") {
  office o;
  const auto changed = o.b.resource("changed", resource_kind::condition);
  o.lock(o.clerk, o.ledger);
  o.b.blocks(o.clerk, operation::cond_wait, changed, o.ledger);
  o.lock(o.clerk, o.safe);  // as a handler would
  o.unlock(o.clerk, o.safe);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.found().empty());
}

TEST_CASE("record locks of open files can deadlock where they overlap; the kernel sees to others") {
  const auto circles = [](bool of_open_file, std::uint64_t last, std::uint64_t first) {
    office o;
    const auto file = o.b.resource("accounts.db", resource_kind::record_lock);
    const auto asks = [&](std::uint64_t begin, std::uint64_t end) {
      const record_range r{.first = begin, .last = end, .of_open_file = of_open_file};
      return values{.before = first_number(r), .after = second_number(r)};
    };
    o.b.does(o.clerk, operation::record_lock, file, asks(0, 9));
    o.b.does(o.clerk, operation::record_lock, file, asks(10, 19));
    o.b.does(o.clerk, operation::record_unlock, file, asks(0, 19));
    o.b.does(o.cashier, operation::record_lock, file, asks(first, last));
    o.b.does(o.cashier, operation::record_lock, file, asks(0, 9));
    return o.found().size();
  };
  CHECK(circles(true, 19, 10) == 1);
  CHECK(circles(true, 39, 30) == 0);
  CHECK(circles(false, 19, 10) == 0);
}

TEST_CASE("an execution that deadlocked is told as a deadlock only") {
  office o;
  o.nest(o.clerk, o.ledger, o.safe);
  o.nest(o.cashier, o.safe, o.ledger);
  o.b.waits(o.clerk, operation::mutex_lock, o.safe, {o.cashier});
  o.b.waits(o.cashier, operation::mutex_lock, o.ledger, {o.clerk});
  o.b.ends(o.guard);
  CHECK(o.found().empty());
}

TEST_CASE("a set of locks is told once, whoever takes them") {
  office o;
  o.nest(o.clerk, o.ledger, o.safe);
  o.nest(o.guard, o.ledger, o.safe);
  o.nest(o.cashier, o.safe, o.ledger);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.found().size() == 1);
}

}  // namespace

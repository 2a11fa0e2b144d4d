#include "framework/trace/record_range.hpp"
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

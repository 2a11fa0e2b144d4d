#include <algorithm>

#include "framework/trace/semaphore_operations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_deadlock;

// Two tellers that lock two accounts in opposite order.
struct crossed_locks {
  trace_builder b;
  task_id one = b.task("teller 0");
  task_id other = b.task("teller 1");
  resource_id x = b.mutex("account X");
  resource_id y = b.mutex("account Y");
  std::size_t one_took = b.lock(one, x);
  std::size_t other_took = b.lock(other, y);
};

TEST_CASE("a cycle is told with its owners, and where each took what it holds") {
  crossed_locks c;
  const auto one_waits = c.b.waits(c.one, operation::mutex_lock, c.y, {c.other});
  const auto other_waits = c.b.waits(c.other, operation::mutex_lock, c.x, {c.one});
  c.b.raw().how = ending::stuck;

  const auto found = check_deadlock(c.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::deadlock);
  CHECK(found[0].message ==
        "teller 0 waits for account Y held by teller 1 and "
        "teller 1 waits for account X held by teller 0");
  CHECK(found[0].tasks == strings{"teller 0", "teller 1"});
  CHECK(found[0].resource == "account Y");
  CHECK(found[0].evidence == indices{c.one_took, c.other_took, one_waits, other_waits});
  CHECK(tells(found[0], "teller 0 is blocked in lock on account Y at code.cpp:2"));
  CHECK(tells(found[0], "teller 0 holds account X, taken at code.cpp:0"));
  CHECK(tells(found[0], "teller 1 holds account Y, taken at code.cpp:1"));
}

TEST_CASE("a wait for a task that is running is no deadlock") {
  crossed_locks c;
  c.b.waits(c.one, operation::mutex_lock, c.y, {c.other});
  c.b.does(c.other, operation::yield);
  c.b.raw().how = ending::step_limit;
  CHECK(check_deadlock(c.b.done(), {}).empty());
}

TEST_CASE("an execution that finished has no deadlock") {
  crossed_locks c;
  c.b.unlock(c.one, c.x);
  c.b.unlock(c.other, c.y);
  c.b.ends(c.one);
  c.b.ends(c.other);
  CHECK(check_deadlock(c.b.done(), {}).empty());
}

TEST_CASE("a deadlock is found while other tasks go on, and says so") {
  crossed_locks c;
  const auto clerk = c.b.task("clerk");
  c.b.waits(c.one, operation::mutex_lock, c.y, {c.other});
  c.b.waits(c.other, operation::mutex_lock, c.x, {c.one});
  c.b.does(clerk, operation::yield);
  c.b.raw().how = ending::step_limit;

  const auto found = check_deadlock(c.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "while other tasks went on"));
  CHECK(found[0].tasks == strings{"teller 0", "teller 1"});
}

TEST_CASE("a task that only waits for the deadlocked ones is in the details, not in the cycle") {
  crossed_locks c;
  const auto clerk = c.b.task("clerk");
  c.b.waits(c.one, operation::mutex_lock, c.y, {c.other});
  c.b.waits(c.other, operation::mutex_lock, c.x, {c.one});
  c.b.waits(clerk, operation::mutex_lock, c.x, {c.one});
  c.b.raw().how = ending::stuck;

  const auto found = check_deadlock(c.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK_FALSE(contains(found[0].message, "clerk"));
  CHECK(found[0].tasks == strings{"teller 0", "teller 1", "clerk"});
  CHECK(tells(found[0], "clerk is blocked in lock on account X"));
}

TEST_CASE("a mutex that a task locks twice is a cycle of one") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  const auto x = b.mutex("account X");
  b.lock(teller, x);
  b.waits(teller, operation::mutex_lock, x, {teller});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "teller 0 waits for account X held by itself");
}

TEST_CASE("a message queue that nobody sends to, or receives from, is told as that") {
  trace_builder b;
  const auto one = b.task("one");
  const auto queue = b.resource("/jobs", resource_kind::message_queue);
  const auto sends = GENERATE(true, false);
  b.waits(one, sends ? operation::mq_send : operation::mq_receive, queue, {});
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].resource == "/jobs");
  CHECK(contains(found[0].message,
                 sends ? "a full queue that nobody receives from" : "a message that nobody sends"));
}

TEST_CASE("a condition that nobody can signal any more is a lost wake-up") {
  trace_builder b;
  const auto consumer = b.task("consumer 0");
  const auto producer = b.task("producer 0");
  const auto filled = b.resource("filled", resource_kind::condition);
  b.does(producer, operation::cond_signal, filled);
  b.ends(producer);
  b.waits(consumer, operation::cond_wait, filled, {});
  b.raw().how = ending::stuck;

  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message,
                 "consumer 0 waits for filled for ever, with nobody left to release it"));
  CHECK(contains(found[0].message, "lost wake-up"));
  CHECK(found[0].tasks == strings{"consumer 0"});
}

TEST_CASE("nobody is left if the only one who ever used the semaphore is the waiter itself") {
  trace_builder b;
  const auto consumer = b.task("consumer 0");
  const auto items = b.resource("items", resource_kind::semaphore);
  b.waits(consumer, operation::sem_wait, items, {consumer});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "with nobody left to release it: a missing post"));
}

TEST_CASE("what a semop lacks is a post, or a zero if it waits for nothing else") {
  for (const std::int16_t change : {std::int16_t{-1}, std::int16_t{0}}) {
    trace_builder b;
    const auto consumer = b.task("consumer 0");
    const auto items = b.resource("items", resource_kind::system_v_semaphore);
    const auto at = b.waits(consumer, operation::semop, items, {});
    semaphore_operations all;
    all.add({0, change, false});
    b.raw().events[at].before = all.before();
    b.raw().how = ending::stuck;
    const auto found = check_deadlock(b.done(), {});
    REQUIRE(found.size() == 1);
    CHECK(contains(found[0].message,
                   change == 0 ? "a value that never becomes zero" : "a missing post"));
  }
}

TEST_CASE("tasks on both sides of one that nobody can help do not make up a cycle") {
  trace_builder b;
  const auto first = b.task("first");
  const auto root = b.task("root");
  const auto last = b.task("last");
  const auto m = b.mutex("m");
  const auto n = b.mutex("n");
  const auto items = b.resource("items", resource_kind::semaphore);
  b.lock(root, m);
  b.lock(first, n);
  b.waits(first, operation::mutex_lock, m, {root});
  b.waits(root, operation::sem_wait, items, {});
  b.waits(last, operation::mutex_lock, n, {first});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "root waits for items for ever"));
  CHECK(found[0].tasks == strings{"first", "root", "last"});
}

TEST_CASE("a releaser that has died is no help") {
  trace_builder b;
  const auto consumer = b.task("consumer 0");
  const auto producer = b.task("producer 0");
  const auto items = b.resource("items", resource_kind::semaphore);
  b.ends(producer);
  b.waits(consumer, operation::sem_wait, items, {producer});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "nobody left"));
}

TEST_CASE("an owner that died with the mutex is named") {
  trace_builder b;
  const auto one = b.task("teller 0");
  const auto other = b.task("teller 1");
  const auto x = b.mutex("account X");
  b.lock(one, x);
  b.dies(one, {.kind = task_end::how::signalled, .code = 9});
  b.waits(other, operation::mutex_lock, x, {});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "teller 0 died while it held it"));
}

TEST_CASE("tasks that fill two pipes towards each other wait for each other") {
  trace_builder b;
  const auto ping = b.task("ping");
  const auto pong = b.task("pong");
  const auto there = b.resource("there", resource_kind::pipe);
  const auto back = b.resource("back", resource_kind::pipe);
  b.waits(ping, operation::write, there, {pong});
  b.waits(pong, operation::write, back, {ping});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "ping waits for there that only pong could release and "
        "pong waits for back that only ping could release");
}

TEST_CASE("one helper outside saves a task that waits for any of several") {
  trace_builder b;
  const auto one = b.task("one");
  const auto other = b.task("other");
  const auto helper = b.task("helper");
  const auto items = b.resource("items", resource_kind::semaphore);
  b.waits(one, operation::sem_wait, items, {other, helper});
  b.waits(other, operation::sem_wait, items, {one});
  b.does(helper, operation::yield);
  b.raw().how = ending::step_limit;
  CHECK(check_deadlock(b.done(), {}).empty());
}

TEST_CASE("a mutex given up by a condition wait is not told as held") {
  trace_builder b;
  const auto consumer = b.task("consumer 0");
  const auto m = b.mutex("queue lock");
  const auto filled = b.resource("filled", resource_kind::condition);
  b.lock(consumer, m);
  const auto at = b.blocks(consumer, operation::cond_wait, filled, m);
  b.raw().waits.push_back(
      {.task = consumer, .op = operation::cond_wait, .resources = {filled}, .event = at});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK_FALSE(tells(found[0], "holds queue lock"));
}

// Read-write locks, barriers, spin locks.

struct two_readers {
  trace_builder b;
  task_id one = b.task("librarian 0");
  task_id other = b.task("librarian 1");
  resource_id lock = b.resource("catalogue", resource_kind::rwlock);
  std::size_t one_read = b.does(one, operation::rwlock_rdlock, lock);
  std::size_t other_read = b.does(other, operation::rwlock_tryrdlock, lock);
};

TEST_CASE("readers that want to write wait for all that read, themselves included") {
  two_readers r;
  r.b.waits(r.one, operation::rwlock_wrlock, r.lock, {r.one, r.other});
  r.b.waits(r.other, operation::rwlock_wrlock, r.lock, {r.one, r.other});
  r.b.raw().how = ending::stuck;
  const auto found = check_deadlock(r.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "librarian 0 waits for catalogue held by itself and librarian 1");
  CHECK(tells(found[0], "librarian 0 holds catalogue, taken at code.cpp:0"));
  CHECK(tells(found[0], "librarian 1 holds catalogue, taken at code.cpp:1"));
}

TEST_CASE("a reader that has left the lock is not told as holding it") {
  two_readers r;
  r.b.does(r.other, operation::rwlock_unlock, r.lock);
  r.b.ends(r.other);
  r.b.waits(r.one, operation::rwlock_wrlock, r.lock, {r.one});
  r.b.raw().how = ending::stuck;
  const auto found = check_deadlock(r.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "librarian 0 waits for catalogue held by itself");
}

TEST_CASE("a reader behind a waiting writer, who waits for the reader, makes up a cycle") {
  two_readers r;
  r.b.does(r.other, operation::rwlock_unlock, r.lock);
  r.b.waits(r.other, operation::rwlock_wrlock, r.lock, {r.one});
  r.b.waits(r.one, operation::rwlock_rdlock, r.lock, {r.other});
  r.b.raw().how = ending::stuck;
  const auto found = check_deadlock(r.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "librarian 0 waits for catalogue that only librarian 1 could release and "
        "librarian 1 waits for catalogue held by librarian 0");
}

TEST_CASE("an owner that only the object knows is named when it died, and a living one is not") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  const auto waiter = b.task("teller 1");
  const auto reader = b.task("reader");
  const auto m = b.resource("m", resource_kind::rwlock);
  const bool reads = GENERATE(false, true);
  if (reads) b.does(reader, operation::rwlock_rdlock, m);
  b.owner(m, teller);
  b.dies(teller, {.kind = task_end::how::signalled, .code = 9});
  b.waits(waiter, operation::rwlock_wrlock, m, {});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "teller 0 died while it held it"));
}

TEST_CASE("a signal that came too early is no evidence where somebody could still send one") {
  trace_builder b;
  const auto one = b.task("one");
  const auto other = b.task("other");
  const auto m = b.mutex("m");
  const auto ready = b.resource("ready", resource_kind::condition);
  const auto early = b.does(other, operation::cond_signal, ready);
  b.lock(one, m);
  b.waits(one, operation::cond_wait, ready, {other});
  b.waits(other, operation::mutex_lock, m, {one});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(std::count(found[0].evidence.begin(), found[0].evidence.end(), early) == 0);
}

TEST_CASE("a reader that died inside a read-write lock is named") {
  two_readers r;
  r.b.does(r.one, operation::rwlock_unlock, r.lock);
  r.b.dies(r.other, {.kind = task_end::how::exited});
  r.b.waits(r.one, operation::rwlock_wrlock, r.lock, {});
  r.b.raw().how = ending::stuck;
  const auto found = check_deadlock(r.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "librarian 1 died while it held it"));
}

TEST_CASE("a spin lock that its holder takes again is a cycle of one") {
  trace_builder b;
  const auto one = b.task("one");
  const auto lock = b.resource("lock", resource_kind::spin_lock);
  b.does(one, operation::spin_trylock, lock);
  b.waits(one, operation::spin_lock, lock, {one});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "one waits for lock held by itself");
}

TEST_CASE("a barrier to which nobody else can come is one for more than come") {
  trace_builder b;
  const auto one = b.task("one");
  const auto other = b.task("other");
  const auto meeting = b.resource("meeting", resource_kind::barrier);
  b.waits(one, operation::barrier_wait, meeting, {});
  b.waits(other, operation::barrier_wait, meeting, {});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "one waits for meeting for ever, with nobody left to release it: "
        "fewer tasks come than the barrier is for");
  CHECK(found[0].tasks == strings{"one", "other"});
}

TEST_CASE("a barrier for which a task is missing that waits for one at the barrier is a cycle") {
  trace_builder b;
  const auto one = b.task("one");
  const auto other = b.task("other");
  const auto m = b.mutex("m");
  const auto meeting = b.resource("meeting", resource_kind::barrier);
  b.lock(one, m);
  b.waits(one, operation::barrier_wait, meeting, {other});
  b.waits(other, operation::mutex_lock, m, {one});
  b.raw().how = ending::stuck;
  const auto found = check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "one waits for meeting that only other could release and other waits for m held by one");
}

}  // namespace

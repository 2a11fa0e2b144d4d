#include "framework/trace/vector_clock.hpp"

#include <pthread.h>

#include <array>
#include <cerrno>

#include "framework/trace/record_range.hpp"
#include "framework/trace/semaphore_operations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/property.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

bool ordered(const trace_builder& b, std::size_t first, std::size_t second) {
  return happens_before(b.done(), vector_clocks(b.done()), first, second);
}

struct pair_of_tasks {
  trace_builder b;
  task_id one = b.task("one");
  task_id other = b.task("other");
  resource_id m = b.mutex("m");
  resource_id c = b.resource("c", resource_kind::condition);
  resource_id x = b.memory("x");
};

TEST_CASE("a task's events happen in their order, and none before itself") {
  pair_of_tasks p;
  const auto first = p.b.load(p.one, p.x, 1);
  const auto second = p.b.load(p.one, p.x, 1);
  CHECK(ordered(p.b, first, second));
  CHECK_FALSE(ordered(p.b, second, first));
  CHECK_FALSE(ordered(p.b, first, first));
}

TEST_CASE("plain loads and stores of two tasks are not ordered") {
  pair_of_tasks p;
  const auto first = p.b.store(p.one, p.x, 1, 2);
  const auto second = p.b.load(p.other, p.x, 2);
  CHECK_FALSE(ordered(p.b, first, second));
  CHECK_FALSE(ordered(p.b, second, first));
}

TEST_CASE("what made something in its list ready happens before the epoll that tells of it") {
  pair_of_tasks p;
  const auto list = p.b.resource("epoll 1", resource_kind::event_source);
  const auto counter = p.b.resource("eventfd 1", resource_kind::event_source);
  const auto other = p.b.resource("eventfd 2", resource_kind::event_source);
  const auto write = p.b.does(p.one, operation::write, counter, {.result = 8});
  const auto unheard = p.b.does(p.one, operation::write, other, {.result = 8});
  const auto wait =
      p.b.does(p.other, operation::epoll_wait, list, {.result = 1, .second = counter});
  CHECK(ordered(p.b, write, wait));
  CHECK_FALSE(ordered(p.b, unheard, wait));
}

TEST_CASE("an unlock happens before the next lock, and what came before it too") {
  pair_of_tasks p;
  const auto before = p.b.store(p.one, p.x, 1, 2);
  p.b.lock(p.one, p.m);
  p.b.unlock(p.one, p.m);
  const auto after_unlock = p.b.store(p.one, p.x, 2, 3);
  p.b.lock(p.other, p.m);
  const auto after = p.b.load(p.other, p.x, 3);
  CHECK(ordered(p.b, before, after));
  CHECK_FALSE(ordered(p.b, after_unlock, after));
}

// A record lock, or unlock, of some bytes.
values bytes(std::uint64_t first, std::uint64_t last, bool shared = false) {
  const record_range range{.first = first, .last = last, .shared = shared};
  return {.before = first_number(range), .after = second_number(range)};
}

TEST_CASE("an unlock of bytes happens before a lock of some of them, and of no others") {
  pair_of_tasks p;
  const auto file = p.b.resource("file", resource_kind::record_lock);
  p.b.does(p.one, operation::record_lock, file, bytes(0, 99));
  const auto unlock = p.b.does(p.one, operation::record_unlock, file, bytes(0, 49));
  const auto apart = p.b.does(p.other, operation::record_trylock, file, bytes(50, 99));
  const auto some = p.b.does(p.other, operation::record_lock, file, bytes(49, 60));
  CHECK_FALSE(ordered(p.b, unlock, apart));
  CHECK(ordered(p.b, unlock, some));
}

TEST_CASE("a lock on a file that becomes shared happens before those who share it") {
  pair_of_tasks p;
  const auto records = p.b.resource("file", resource_kind::record_lock);
  const auto flocks = p.b.resource("file", resource_kind::file_lock);
  p.b.does(p.one, operation::record_lock, records, bytes(0, 9));
  p.b.does(p.one, operation::flock, flocks);
  const auto first_shared = p.b.does(p.one, operation::record_lock, records, bytes(0, 9, true));
  const auto other_shared = p.b.does(p.one, operation::flock, flocks, {.before = 1});
  const auto took = p.b.does(p.other, operation::record_lock, records, bytes(0, 9, true));
  CHECK(ordered(p.b, first_shared, took));
  CHECK_FALSE(ordered(p.b, other_shared, took));
  CHECK(ordered(p.b, other_shared, p.b.does(p.other, operation::flock, flocks, {.before = 1})));
}

TEST_CASE("a close that drops locks, and a death, happen before the next lock of the file") {
  pair_of_tasks p;
  const auto file = p.b.resource("file", resource_kind::record_lock);
  p.b.does(p.one, operation::record_lock, file, bytes(0, 9));
  const bool closes = GENERATE(true, false);
  const auto gone = closes ? p.b.does(p.one, operation::close, no_resource,
                                      {.after = closed_process_records, .second = file})
                           : p.b.ends(p.one);
  CHECK(ordered(p.b, gone, p.b.does(p.other, operation::record_lock, file, bytes(3, 3))));
}

TEST_CASE("whoever makes a name after a rename to it or an unlink comes behind that") {
  pair_of_tasks p;
  const auto from = p.b.resource("from", resource_kind::directory_entry);
  const auto to = p.b.resource("to", resource_kind::directory_entry);
  const auto renamed = p.b.does(p.one, operation::rename, from, {.second = to});
  CHECK(ordered(p.b, renamed, p.b.does(p.other, operation::open, to, {.result = 3})));
  const auto unlinked = p.b.does(p.one, operation::unlink, to);
  CHECK(ordered(p.b, unlinked, p.b.does(p.other, operation::mkdir, to)));
}

TEST_CASE("a lock that failed orders nothing") {
  pair_of_tasks p;
  const auto before = p.b.unlock(p.one, p.m);
  const auto tried =
      p.b.does(p.other, operation::mutex_trylock, p.m, {.result = EBUSY, .error = EBUSY});
  CHECK_FALSE(ordered(p.b, before, tried));
}

TEST_CASE("an atomic modification is ordered after the earlier ones") {
  pair_of_tasks p;
  const auto first = p.b.modify(p.one, p.x, 0, 1);
  const auto second = p.b.modify(p.other, p.x, 1, 2);
  CHECK(ordered(p.b, first, second));
}

TEST_CASE("a read happens after the close that ended the data, and gives nothing on") {
  pair_of_tasks p;
  const auto pipe = p.b.resource("pipe", resource_kind::pipe);
  const auto closed = p.b.does(p.one, operation::close, pipe);
  const auto ended = p.b.does(p.other, operation::read, pipe, {.result = 0});
  const auto again = p.b.does(p.one, operation::read, pipe, {.result = 0});
  CHECK(ordered(p.b, closed, ended));
  CHECK_FALSE(ordered(p.b, ended, again));
}

TEST_CASE("a fork happens before all of the child, and not what the parent does afterwards") {
  trace_builder b;
  const auto parent = b.task("parent");
  const auto child = b.task("child", parent);
  const auto x = b.memory("x");
  const auto before = b.load(parent, x, 0);
  const auto forked = b.forks(parent, child);
  const auto after = b.load(parent, x, 0);
  const auto first = b.does(child, operation::start);
  CHECK(ordered(b, before, first));
  CHECK(ordered(b, forked, first));
  CHECK_FALSE(ordered(b, after, first));
}

TEST_CASE("a child's death happens before the wait that reaped it, not before one for a sibling") {
  trace_builder b;
  const auto parent = b.task("parent");
  const auto child = b.task("child", parent);
  const auto sibling = b.task("sibling", parent);
  const auto children = b.resource("children of parent", resource_kind::process);
  b.forks(parent, child, children);
  b.forks(parent, sibling, children);
  const auto death = b.does(child, operation::exit, children);
  const auto other_death = b.does(sibling, operation::exit, children);
  const auto looked = b.does(parent, operation::wait_child, children, {.result = 0, .after = 1});
  const auto reaped = b.reaps(parent, child, children);
  CHECK_FALSE(ordered(b, death, looked));
  CHECK(ordered(b, death, reaped));
  CHECK_FALSE(ordered(b, other_death, reaped));
}

TEST_CASE("a condition wait gives its mutex up when it blocks") {
  pair_of_tasks p;
  const auto before = p.b.lock(p.one, p.m);
  p.b.blocks(p.one, operation::cond_wait, p.c, p.m);
  const auto locked = p.b.lock(p.other, p.m);
  CHECK(ordered(p.b, before, locked));
}

TEST_CASE("a condition wait that waits for its mutex gives nothing up") {
  pair_of_tasks p;
  const auto blocked = p.b.blocks(p.one, operation::cond_wait, p.m, p.c);
  const auto locked = p.b.lock(p.other, p.m);
  const auto woken = p.b.does(p.other, operation::cond_wait, p.c, {.second = p.m});
  CHECK_FALSE(ordered(p.b, blocked, locked));
  CHECK_FALSE(ordered(p.b, blocked, woken));
}

TEST_CASE("a signal happens before the wait that it ended, not before one that timed out") {
  pair_of_tasks p;
  p.b.blocks(p.one, operation::cond_wait, p.c, p.m);
  const auto signal = p.b.does(p.other, operation::cond_signal, p.c);
  SECTION("signalled") {
    const auto woken = p.b.does(p.one, operation::cond_wait, p.c, {.second = p.m});
    CHECK(ordered(p.b, signal, woken));
  }
  SECTION("timed out") {
    const auto woken =
        p.b.does(p.one, operation::cond_wait, p.c, {.result = ETIMEDOUT, .second = p.m});
    CHECK_FALSE(ordered(p.b, signal, woken));
  }
}

TEST_CASE("a condition wait that completes has taken its mutex, after whoever unlocked it") {
  pair_of_tasks p;
  p.b.blocks(p.one, operation::cond_wait, p.c, p.m);
  p.b.lock(p.other, p.m);
  const auto unlocked = p.b.unlock(p.other, p.m);
  const auto woken =
      p.b.does(p.one, operation::cond_wait, p.c, {.result = ETIMEDOUT, .second = p.m});
  CHECK(ordered(p.b, unlocked, woken));
}

TEST_CASE("a death happens before whoever takes the mutex that the dead task held") {
  pair_of_tasks p;
  p.b.lock(p.one, p.m);
  SECTION("still held") {
    const auto death = p.b.does(p.one, operation::exit);
    const auto took = p.b.does(p.other, operation::mutex_lock, p.m, {.result = EOWNERDEAD});
    CHECK(ordered(p.b, death, took));
  }
  SECTION("unlocked before") {
    p.b.unlock(p.one, p.m);
    const auto death = p.b.does(p.one, operation::exit);
    const auto took = p.b.lock(p.other, p.m);
    CHECK_FALSE(ordered(p.b, death, took));
  }
}

TEST_CASE("a message is sent before it is received, and room is made before it is used") {
  pair_of_tasks p;
  const auto q = p.b.resource("q", resource_kind::message_queue);
  const auto sent = p.b.does(p.one, operation::mq_send, q);
  const auto received = p.b.does(p.other, operation::mq_receive, q);
  const auto next = p.b.does(p.one, operation::mq_send, q);
  CHECK(ordered(p.b, sent, received));
  CHECK(ordered(p.b, received, next));
}

TEST_CASE("two senders, and two receivers, are not ordered by their queue") {
  pair_of_tasks p;
  const auto q = p.b.resource("q", resource_kind::message_queue);
  const auto op = GENERATE(operation::mq_send, operation::mq_receive);
  const auto first = p.b.does(p.one, op, q);
  const auto second = p.b.does(p.other, op, q);
  CHECK_FALSE(ordered(p.b, first, second));
}

TEST_CASE("a poll of a queue comes after what made it ready: a message, or room") {
  pair_of_tasks p;
  const auto q = p.b.resource("q", resource_kind::message_queue);
  const auto op = GENERATE(operation::mq_send, operation::mq_receive);
  const auto made_ready = p.b.does(p.one, op, q);
  const auto polled = p.b.does(p.other, operation::poll, q, {.result = 1});
  CHECK(ordered(p.b, made_ready, polled));
}

struct three_tasks {
  trace_builder b;
  task_id one = b.task("one");
  task_id two = b.task("two");
  task_id three = b.task("three");
  resource_id lock = b.resource("lock", resource_kind::rwlock);
  resource_id barrier = b.resource("barrier", resource_kind::barrier);

  std::size_t arrives(task_id who) { return b.blocks(who, operation::barrier_wait, barrier); }
  std::size_t opens(task_id who) {
    return b.does(who, operation::barrier_wait, barrier, {.result = PTHREAD_BARRIER_SERIAL_THREAD});
  }
  std::size_t leaves(task_id who) { return b.does(who, operation::barrier_wait, barrier); }
};

TEST_CASE("what readers did happens before the next writer, and not before other readers") {
  three_tasks t;
  t.b.does(t.one, operation::rwlock_rdlock, t.lock);
  const auto first = t.b.does(t.one, operation::rwlock_unlock, t.lock);
  const auto read = t.b.does(t.two, operation::rwlock_tryrdlock, t.lock);
  const auto second = t.b.does(t.two, operation::rwlock_unlock, t.lock);
  const auto written = t.b.does(t.three, operation::rwlock_wrlock, t.lock);
  CHECK_FALSE(ordered(t.b, first, read));
  CHECK(ordered(t.b, first, written));
  CHECK(ordered(t.b, second, written));
}

TEST_CASE("what a writer did happens before later readers and writers, and before all of theirs") {
  three_tasks t;
  t.b.does(t.one, operation::rwlock_trywrlock, t.lock);
  const auto written = t.b.does(t.one, operation::rwlock_unlock, t.lock);
  const auto read = t.b.does(t.two, operation::rwlock_rdlock, t.lock);
  CHECK(ordered(t.b, written, read));
  SECTION("a reader that was a writer before is but a reader") {
    t.b.does(t.one, operation::rwlock_rdlock, t.lock);
    const auto left = t.b.does(t.one, operation::rwlock_unlock, t.lock);
    const auto again = t.b.does(t.two, operation::rwlock_rdlock, t.lock);
    CHECK_FALSE(ordered(t.b, left, again));
  }
}

TEST_CASE("a spin unlock happens before the next lock") {
  three_tasks t;
  const auto spin = t.b.resource("spin", resource_kind::spin_lock);
  const auto unlocked = t.b.does(t.one, operation::spin_unlock, spin);
  const auto locked = t.b.does(t.two, operation::spin_trylock, spin);
  CHECK(ordered(t.b, unlocked, locked));
}

TEST_CASE("every arrival at a barrier happens before every return of its round") {
  three_tasks t;
  const std::array arrivals{t.arrives(t.one), t.arrives(t.two)};
  const auto opened = t.opens(t.three);
  const std::array returns{t.leaves(t.two), t.leaves(t.one)};
  for (const auto arrival : arrivals) {
    CHECK(ordered(t.b, arrival, opened));
    for (const auto left : returns) CHECK(ordered(t.b, arrival, left));
  }
  for (const auto left : returns) CHECK(ordered(t.b, opened, left));
  CHECK_FALSE(ordered(t.b, returns[0], returns[1]));
}

TEST_CASE("a barrier's next round does not happen before the returns of the one before") {
  three_tasks t;
  const auto four = t.b.task("four");
  t.arrives(t.one);
  t.opens(t.two);
  const auto arrived = t.arrives(t.three);
  const auto opened = t.opens(four);
  const auto left = t.leaves(t.one);
  CHECK_FALSE(ordered(t.b, arrived, left));
  CHECK_FALSE(ordered(t.b, opened, left));
  CHECK(ordered(t.b, arrived, t.leaves(t.three)));
}

TEST_CASE("what was done at a barrier happens before its destruction") {
  three_tasks t;
  t.arrives(t.one);
  t.opens(t.two);
  const auto left = t.leaves(t.one);
  const auto destroyed = t.b.does(t.two, operation::barrier_destroy, t.barrier);
  CHECK(ordered(t.b, left, destroyed));
}

// System V semaphores.

values adds(std::int16_t change, bool undone = false) {
  semaphore_operations all;
  all.add({0, change, undone});
  return {.before = all.before(), .after = all.after()};
}

TEST_CASE("a post to a semaphore set happens before who takes from it, but not before a post") {
  pair_of_tasks p;
  const auto before = p.b.store(p.one, p.x, 1, 2);
  p.b.does(p.one, operation::semop, p.m, adds(1));
  const auto post = p.b.does(p.other, operation::semop, p.m, adds(1));
  const auto take = p.b.does(p.other, operation::semop, p.m, adds(-1));
  CHECK_FALSE(ordered(p.b, before, post));
  CHECK(ordered(p.b, before, take));
}

TEST_CASE("who takes from a semaphore set happens before a wait for zero, but not before a take") {
  pair_of_tasks p;
  const auto before = p.b.store(p.one, p.x, 1, 2);
  p.b.does(p.one, operation::semop, p.m, adds(-1));
  const auto take = p.b.does(p.other, operation::semop, p.m, adds(-1));
  const auto zero = p.b.does(p.other, operation::semop, p.m, adds(0));
  CHECK_FALSE(ordered(p.b, before, take));
  CHECK(ordered(p.b, before, zero));
}

TEST_CASE("the death of a task that used SEM_UNDO happens before who takes from the set") {
  for (const bool undone : {true, false}) {
    pair_of_tasks p;
    p.b.does(p.one, operation::semop, p.m, adds(-1, undone));
    const auto last = p.b.store(p.one, p.x, 1, 2);
    p.b.dies(p.one, {.kind = task_end::how::exited});
    const auto take = p.b.does(p.other, operation::semop, p.m, adds(-1));
    CHECK(ordered(p.b, last, take) == undone);
  }
}

TEST_CASE("who only looks at a System V object happens before nothing") {
  constexpr std::uint64_t get_value = 12;
  constexpr std::uint64_t set_value = 16;
  for (const auto command : {get_value, set_value}) {
    pair_of_tasks p;
    const auto before = p.b.store(p.one, p.x, 1, 2);
    p.b.does(p.one, operation::semctl, p.m, {.before = command});
    const auto take = p.b.does(p.other, operation::semop, p.m, adds(-1));
    CHECK(ordered(p.b, before, take) == (command == set_value));
  }
}

}  // namespace

#include <cerrno>

#include "framework/strategy/random.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_starvation;

constexpr checkers::limits at_most_three{.bypass_max = 3};

// A readers-writer lock told by request, grant and give_back; `room` is what the writer blocks on.
struct library {
  trace_builder b;
  task_id writer = b.task("writer");
  task_id reader = b.task("reader 0");
  task_id other = b.task("reader 1");
  resource_id books = b.resource("books", resource_kind::logical);
  resource_id room = b.resource("room", resource_kind::semaphore);

  void reads(task_id who) {
    b.does(who, operation::request, books);
    b.does(who, operation::grant, books);
    b.does(who, operation::give_back, books);
  }
  std::size_t writer_asks() { return b.does(writer, operation::request, books); }
  void writer_blocks() { b.blocks(writer, operation::sem_wait, room); }

  [[nodiscard]] std::vector<violation> found() const {
    return check_starvation(b.done(), at_most_three);
  }
};

TEST_CASE("a blocked waiter that is overtaken more often than allowed starves") {
  library l;
  const auto asked = l.writer_asks();
  l.writer_blocks();
  for (int i = 0; i < 2; ++i) l.reads(l.reader);
  for (int i = 0; i < 2; ++i) l.reads(l.other);

  const auto found = l.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::starvation);
  CHECK(found[0].message ==
        "writer waited for books at code.cpp:0 while others took it 4 times in a row, and could "
        "not have come first (at most 3 are allowed)");
  CHECK(found[0].tasks == strings{"writer", "reader 0", "reader 1"});
  CHECK(found[0].resource == "books");
  CHECK(found[0].evidence == indices{asked, 3, 6, 9, 12});
  CHECK(tells(found[0], "bypassed 4 times, by reader 0 2 times and reader 1 2 times"));
  CHECK(tells(found[0], "denied 0 times by the schedule"));
  CHECK(tells(found[0], "caused by the program"));
  CHECK(tells(found[0], "waited 13 steps, 0 µs of virtual time"));
  CHECK(tells(found[0], "Jain's index of who got it is 0.66"));
}

TEST_CASE("a waiter overtaken exactly as often as allowed does not starve") {
  library l;
  l.writer_asks();
  l.writer_blocks();
  for (int i = 0; i < 3; ++i) l.reads(l.reader);
  CHECK(l.found().empty());
}

TEST_CASE("a waiter that has not tried yet is denied by the schedule, never overtaken") {
  library l;
  l.writer_asks();
  for (int i = 0; i < 50; ++i) l.reads(l.reader);
  CHECK(l.found().empty());
}

TEST_CASE("a waiter that was woken and not picked is denied by the schedule") {
  library l;
  l.writer_asks();
  l.writer_blocks();
  l.b.does(l.reader, operation::sem_post, l.room);
  for (int i = 0; i < 50; ++i) l.reads(l.reader);
  CHECK(l.found().empty());
}

TEST_CASE("a change of something else does not wake a waiter") {
  library l;
  const auto elsewhere = l.b.resource("elsewhere", resource_kind::semaphore);
  l.writer_asks();
  l.writer_blocks();
  l.b.does(l.reader, operation::sem_post, elsewhere);
  for (int i = 0; i < 4; ++i) l.reads(l.reader);
  CHECK(l.found().size() == 1);
}

TEST_CASE("a denied waiter had its chance: the count begins anew") {
  library l;
  l.writer_asks();
  for (int round = 0; round < 10; ++round) {
    l.writer_blocks();
    for (int i = 0; i < 3; ++i) l.reads(l.reader);
    l.b.does(l.reader, operation::sem_post, l.room);
    l.reads(l.reader);
  }
  CHECK(l.found().empty());
}

TEST_CASE("the longest stretch counts, and all that was denied is told") {
  library l;
  l.writer_asks();
  l.reads(l.reader);
  l.writer_blocks();
  for (int i = 0; i < 5; ++i) l.reads(l.reader);
  l.b.does(l.reader, operation::sem_post, l.room);
  l.reads(l.reader);
  l.writer_blocks();
  for (int i = 0; i < 4; ++i) l.reads(l.other);
  const auto found = l.found();
  REQUIRE(found.size() == 1);
  CHECK(tells(found[0], "bypassed 5 times, by reader 0 5 times"));
  CHECK(tells(found[0], "denied 2 times"));
}

TEST_CASE("one who asked before the waiter blocked did not overtake it") {
  library l;
  std::vector<task_id> early;
  for (int i = 0; i < 10; ++i) early.push_back(l.b.task("early " + std::to_string(i)));
  for (const auto who : early) l.b.does(who, operation::request, l.books);
  l.writer_asks();
  l.writer_blocks();
  for (const auto who : early) l.b.does(who, operation::grant, l.books);
  CHECK(l.found().empty());
}

TEST_CASE("a wait that ended well is judged like one that never ended") {
  library l;
  l.writer_asks();
  l.writer_blocks();
  for (int i = 0; i < 4; ++i) l.reads(l.reader);
  l.b.does(l.reader, operation::sem_post, l.room);
  l.b.does(l.writer, operation::sem_wait, l.room);
  l.b.does(l.writer, operation::grant, l.books);
  CHECK(l.found().size() == 1);
}

TEST_CASE("each wait is counted for itself") {
  library l;
  for (int round = 0; round < 10; ++round) {
    l.writer_asks();
    l.writer_blocks();
    for (int i = 0; i < 3; ++i) l.reads(l.reader);
    l.b.does(l.reader, operation::sem_post, l.room);
    l.b.does(l.writer, operation::sem_wait, l.room);
    l.b.does(l.writer, operation::grant, l.books);
    l.b.does(l.writer, operation::give_back, l.books);
  }
  CHECK(l.found().empty());
}

TEST_CASE("a sleeper waits for time, so it is denied, not overtaken") {
  library l;
  l.writer_asks();
  l.b.blocks(l.writer, operation::sleep, no_resource);
  for (int i = 0; i < 50; ++i) l.reads(l.reader);
  CHECK(l.found().empty());
}

TEST_CASE("a poller waits for more than the trace tells, so it is denied, not overtaken") {
  library l;
  l.writer_asks();
  l.b.blocks(l.writer, operation::poll, l.room);
  for (int i = 0; i < 50; ++i) l.reads(l.reader);
  CHECK(l.found().empty());
}

TEST_CASE("one who is stopped is held up by whoever stopped it, not overtaken") {
  library l;
  const auto go_on = l.b.resource("SIGCONT of writer", resource_kind::signal);
  const auto any = l.b.resource("signals of writer", resource_kind::signal);
  l.writer_asks();
  l.b.blocks(l.writer, operation::signal_wait, go_on);
  for (int i = 0; i < 4; ++i) l.reads(l.reader);
  CHECK(l.found().empty());
  // The control: who waits for a signal that tells it is its turn is overtaken.
  l.b.blocks(l.writer, operation::signal_wait, any);
  for (int i = 0; i < 4; ++i) l.reads(l.reader);
  CHECK(l.found().size() == 1);
}

TEST_CASE("a death lets every waiter try again") {
  library l;
  l.writer_asks();
  l.writer_blocks();
  l.b.ends(l.other);
  for (int i = 0; i < 50; ++i) l.reads(l.reader);
  CHECK(l.found().empty());
}

TEST_CASE("each call is a wait of its own") {
  trace_builder b;
  const auto large = b.task("large");
  const auto small = b.task("small");
  const auto pipe = b.resource("pipe", resource_kind::pipe);
  for (int call = 0; call < 10; ++call) {
    for (int i = 0; i < 3; ++i) {
      b.blocks(large, operation::write, pipe);
      b.does(small, operation::write, pipe, {.result = 1});
    }
    b.does(large, operation::write, pipe, {.result = 4096});
  }
  CHECK(check_starvation(b.done(), at_most_three).empty());
}

TEST_CASE("small writes that slip into a pipe before a large one starve it") {
  trace_builder b;
  const auto large = b.task("large");
  const auto small = b.task("small");
  const auto sink = b.task("sink");
  const auto pipe = b.resource("pipe", resource_kind::pipe);
  for (int i = 0; i < 4; ++i) {
    b.blocks(large, operation::write, pipe);
    b.does(small, operation::write, pipe, {.result = 1});
    b.does(sink, operation::read, pipe, {.result = 1});
  }
  const auto found = check_starvation(b.done(), at_most_three);
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"large", "small"});
}

TEST_CASE("a write of nothing overtakes nobody, and is no chance for anybody") {
  trace_builder b;
  const auto large = b.task("large");
  const auto small = b.task("small");
  const auto sink = b.task("sink");
  const auto pipe = b.resource("pipe", resource_kind::pipe);
  b.blocks(large, operation::write, pipe);
  for (int i = 0; i < 9; ++i) b.does(small, operation::write, pipe, {.result = 0});
  CHECK(check_starvation(b.done(), at_most_three).empty());
  for (int i = 0; i < 4; ++i) {
    b.does(sink, operation::read, pipe, {.result = 0});
    b.does(small, operation::write, pipe, {.result = 1});
    b.does(sink, operation::read, pipe, {.result = 1});
    b.blocks(large, operation::write, pipe);
  }
  CHECK(check_starvation(b.done(), at_most_three).size() == 1);
}

TEST_CASE("a reader is not overtaken by those who write what it waits for") {
  trace_builder b;
  const auto waiter = b.task("waiter");
  const auto thief = b.task("thief");
  const auto writer = b.task("writer");
  const auto pipe = b.resource("pipe", resource_kind::pipe);
  for (int i = 0; i < 50; ++i) {
    b.blocks(waiter, operation::read, pipe);
    b.does(writer, operation::write, pipe, {.result = 1});
    b.does(thief, operation::read, pipe, {.result = 1});
  }
  CHECK(check_starvation(b.done(), at_most_three).empty());
}

TEST_CASE("a recursive mutex that its holder takes again is not taken from anybody") {
  trace_builder b;
  const auto holder = b.task("holder");
  const auto waiter = b.task("waiter");
  const auto m = b.mutex("m");
  b.does(holder, operation::mutex_lock, m);
  for (int i = 0; i < 50; ++i) {
    b.blocks(waiter, operation::mutex_lock, m);
    b.does(holder, operation::mutex_lock, m);
    b.does(holder, operation::mutex_unlock, m);
  }
  CHECK(check_starvation(b.done(), at_most_three).empty());
}

// A read-write lock with a writer that waits.
struct shelf {
  trace_builder b;
  task_id writer = b.task("writer");
  task_id reader = b.task("reader 0");
  task_id other = b.task("reader 1");
  resource_id lock = b.resource("shelf", resource_kind::rwlock);

  void enters(task_id who) { b.does(who, operation::rwlock_rdlock, lock); }
  void leaves(task_id who) { b.does(who, operation::rwlock_unlock, lock); }
  void writer_blocks() { b.blocks(writer, operation::rwlock_wrlock, lock); }

  [[nodiscard]] std::vector<violation> found() const {
    return check_starvation(b.done(), at_most_three);
  }
};

TEST_CASE("readers who relieve each other in a read-write lock starve a writer") {
  shelf s;
  s.enters(s.reader);
  s.writer_blocks();
  for (int i = 0; i < 2; ++i) {
    s.enters(s.other);
    s.leaves(s.reader);
    s.enters(s.reader);
    s.leaves(s.other);
  }
  const auto found = s.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"writer", "reader 1", "reader 0"});
  CHECK(tells(found[0], "bypassed 4 times, by reader 0 2 times and reader 1 2 times"));
  CHECK(tells(found[0], "denied 0 times"));
}

TEST_CASE("a writer that saw the read-write lock free had its chance") {
  shelf s;
  s.enters(s.reader);
  s.writer_blocks();
  for (int i = 0; i < 10; ++i) {
    s.leaves(s.reader);
    s.enters(s.reader);
  }
  CHECK(s.found().empty());
}

TEST_CASE("a reader of a read-write lock that comes back to what it holds overtakes nobody") {
  shelf s;
  s.enters(s.reader);
  s.writer_blocks();
  for (int i = 0; i < 10; ++i) {
    s.enters(s.reader);
    s.leaves(s.reader);
  }
  CHECK(s.found().empty());
}

TEST_CASE("a reader that stood behind a writer had its chance when the writer gave up") {
  shelf s;
  s.enters(s.reader);
  s.writer_blocks();
  s.b.blocks(s.other, operation::rwlock_rdlock, s.lock);
  s.b.does(s.writer, operation::rwlock_wrlock, s.lock, {.result = ETIMEDOUT, .error = ETIMEDOUT});
  std::vector<task_id> late;
  for (int i = 0; i < 10; ++i) late.push_back(s.b.task("late " + std::to_string(i)));
  for (const auto who : late) s.enters(who);
  CHECK(s.found().empty());
}

TEST_CASE("a spin lock is never blamed, as it must be given back before it is taken") {
  trace_builder b;
  const auto waiter = b.task("waiter");
  const auto other = b.task("other");
  const auto lock = b.resource("lock", resource_kind::spin_lock);
  b.does(other, operation::spin_lock, lock);
  b.blocks(waiter, operation::spin_lock, lock);
  for (int i = 0; i < 10; ++i) {
    b.does(other, operation::spin_unlock, lock);
    b.does(other, operation::spin_trylock, lock);
  }
  CHECK(check_starvation(b.done(), at_most_three).empty());
}

// Tasks that fight for one plain mutex, as a random schedule lets them: an attempt while it is held
// blocks, and an unlock lets all that are blocked try again. The unlucky task is picked only while
// another one holds the mutex, which is the worst that a schedule can do to it. asks: each round is
// also told as a logical resource.
trace fight_for_a_mutex(std::uint64_t seed, bool asks, std::size_t steps) {
  trace_builder b;
  const auto m = b.mutex("m");
  const auto turn = b.resource("turn", resource_kind::logical);
  enum class at : std::uint8_t { outside, locking, blocked, locked, granted };
  std::vector<at> state(4, at::outside);
  for (std::size_t i = 0; i < state.size(); ++i) b.task("task " + std::to_string(i));
  strategy::generator random(seed);
  bool held = false;
  for (std::size_t step = 0; step < steps; ++step) {
    const auto i = random.below(state.size());
    const auto task = task_id(i);
    if (i == 0 && !held) continue;
    switch (state[i]) {
      case at::outside:
        if (asks) b.does(task, operation::request, turn);
        state[i] = at::locking;
        break;
      case at::locking:
        if (held) {
          b.blocks(task, operation::mutex_lock, m);
          state[i] = at::blocked;
        } else {
          b.does(task, operation::mutex_lock, m);
          held = true;
          state[i] = at::locked;
        }
        break;
      case at::blocked:
        break;
      case at::locked:
        if (asks) b.does(task, operation::grant, turn);
        state[i] = at::granted;
        break;
      case at::granted:
        if (asks) b.does(task, operation::give_back, turn);
        b.does(task, operation::mutex_unlock, m);
        held = false;
        state[i] = at::outside;
        for (auto& s : state)
          if (s == at::blocked) s = at::locking;
        break;
    }
  }
  return b.done();
}

TEST_CASE("a plain mutex is never blamed, whatever the schedule does to a task") {
  const bool asks = GENERATE(false, true);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto what = fight_for_a_mutex(seed, asks, 4000);
    std::size_t tried = 0;
    for (const auto& e : what.events) tried += e.task == task_id{0} ? 1 : 0;
    REQUIRE(tried > 100);  // the unlucky task did try, again and again
    CHECK(check_starvation(what, {.bypass_max = 1}).empty());
  }
}

}  // namespace

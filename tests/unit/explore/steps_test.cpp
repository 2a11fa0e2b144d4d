// What steps of traces written by hand touch: which of them commute.
#include "framework/explore/steps.hpp"

#include <cerrno>

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::explore;
using forkloom::testing::trace_builder;

struct office {
  trace_builder b;
  task_id clerk = b.task("clerk");
  task_id cashier = b.task("cashier");

  // Every event is a step of its own, and everybody could always have gone.
  [[nodiscard]] trace picked() const {
    auto t = b.done();
    for (auto& e : t.events) {
      ++e.step;
      t.choices.push_back({.enabled = only(clerk) | only(cashier),
                           .resource = e.resource,
                           .op = e.op,
                           .picked = e.task});
    }
    return t;
  }
  [[nodiscard]] step_list steps() const { return steps_of(picked()); }

  // Of the last two steps.
  [[nodiscard]] bool commute() const {
    const auto all = steps();
    REQUIRE(all.done.size() >= 2);
    return !conflict(all.done.end()[-2].touched, all.done.end()[-1].touched);
  }
};

TEST_CASE("a call that could do nothing only looked") {
  office o;
  const auto queue = o.b.resource("queue", resource_kind::message_queue);
  const auto m = o.b.mutex("m");
  SECTION("there was nothing to receive") {
    for (const auto task : {o.clerk, o.cashier})
      o.b.does(task, operation::mq_receive, queue, {.error = EAGAIN});
    CHECK(o.commute());
  }
  SECTION("somebody else had the lock") {
    for (const auto task : {o.clerk, o.cashier})
      o.b.does(task, operation::mutex_trylock, m, {.error = EBUSY});
    CHECK(o.commute());
  }
  SECTION("no child had ended") {
    for (const auto task : {o.clerk, o.cashier}) o.b.does(task, operation::wait_child, queue);
    CHECK(o.commute());
  }
  SECTION("others are still to come to the barrier") {
    const auto barrier = o.b.resource("barrier", resource_kind::barrier);
    for (const auto task : {o.clerk, o.cashier}) o.b.does(task, operation::barrier_wait, barrier);
    CHECK(o.commute());
  }
  SECTION("but not if it did something") {
    o.b.does(o.clerk, operation::mutex_trylock, m);
    o.b.does(o.cashier, operation::mutex_trylock, m, {.error = EBUSY});
    CHECK_FALSE(o.commute());
  }
}

TEST_CASE("an attempt that has to wait is no step, unless something was drawn in it") {
  office o;
  o.b.lock(o.clerk, o.b.mutex("m"));
  o.b.blocks(o.cashier, operation::mutex_lock, resource_id{0});
  auto t = o.picked();
  CHECK(steps_of(t).done.size() == 1);
  t.draws.push_back({.step = 2, .nth = 0, .value = 0, .bound = 2});
  CHECK(steps_of(t).done.size() == 2);
}

TEST_CASE("a wait that others notice is a step that waits") {
  office o;
  const auto barrier = o.b.resource("barrier", resource_kind::barrier);
  o.b.blocks(o.clerk, operation::barrier_wait, barrier);
  const auto steps = o.steps();
  REQUIRE(steps.done.size() == 1);
  CHECK(steps.done[0].waits);
}

TEST_CASE("closing ends of a pipe commutes, also with a read that found something") {
  office o;
  const auto pipe = o.b.resource("pipe", resource_kind::pipe);
  o.b.does(o.clerk, operation::close, pipe);
  SECTION("with another closing") {
    o.b.does(o.cashier, operation::close, pipe);
    CHECK(o.commute());
  }
  SECTION("with a read of some bytes") {
    o.b.does(o.cashier, operation::read, pipe, {.result = 3});
    CHECK(o.commute());
  }
  SECTION("but not with one that came to the end") {
    o.b.does(o.cashier, operation::read, pipe, {.result = 0});
    CHECK_FALSE(o.commute());
  }
  SECTION("and not with a write") {
    o.b.does(o.cashier, operation::write, pipe, {.result = 3});
    CHECK_FALSE(o.commute());
  }
}

TEST_CASE("who closes a descriptor that is no pipe's changes it") {
  office o;
  const auto queue = o.b.resource("file", resource_kind::file);
  for (const auto task : {o.clerk, o.cashier}) o.b.does(task, operation::close, queue);
  CHECK_FALSE(o.commute());
}

TEST_CASE("what is sent to a socket changes that socket, too") {
  office o;
  const auto from = o.b.resource("from", resource_kind::socket);
  const auto to = o.b.resource("to", resource_kind::socket);
  o.b.does(o.clerk, operation::send, from, {.result = 1, .second = to});
  o.b.does(o.cashier, operation::receive, to, {.result = 1});
  CHECK_FALSE(o.commute());
  CHECK_FALSE(o.steps().done[0].as_announced);
}

TEST_CASE("an end gives back the locks that its process still had, and no others") {
  office o;
  const auto m = o.b.mutex("m");
  SECTION("one that it had") {
    o.b.lock(o.clerk, m);
    o.b.ends(o.clerk);
    o.b.does(o.cashier, operation::mutex_lock, m);
    CHECK_FALSE(o.commute());
  }
  SECTION("one that it had given back") {
    o.b.lock(o.clerk, m);
    o.b.unlock(o.clerk, m);
    o.b.ends(o.clerk);
    o.b.lock(o.cashier, m);
    CHECK(o.commute());
  }
  SECTION("one that somebody else has") {
    o.b.lock(o.cashier, m);
    o.b.ends(o.clerk);
    o.b.unlock(o.cashier, m);
    CHECK(o.commute());
  }
  SECTION("one that it gave back to wait at a condition variable") {
    const auto free = o.b.resource("free", resource_kind::condition);
    o.b.lock(o.clerk, m);
    o.b.blocks(o.clerk, operation::cond_wait, free, m);
    o.b.dies(o.clerk, {.kind = task_end::how::signalled, .code = 9});
    o.b.lock(o.cashier, m);
    CHECK(o.commute());
  }
  SECTION("one that it got back after it had waited at a condition variable") {
    const auto free = o.b.resource("free", resource_kind::condition);
    o.b.lock(o.clerk, m);
    o.b.does(o.clerk, operation::cond_wait, free, {.second = m});
    o.b.ends(o.clerk);
    o.b.does(o.cashier, operation::mutex_lock, m);
    CHECK_FALSE(o.commute());
  }
  SECTION("a lock on a file, of which it is not known who has it") {
    const auto file = o.b.resource("file", resource_kind::file);
    o.b.does(o.clerk, operation::flock, file);
    o.b.does(o.clerk, operation::file_unlock, file);
    o.b.ends(o.clerk);
    o.b.does(o.cashier, operation::flock, file);
    CHECK_FALSE(o.commute());
  }
}

TEST_CASE("an end announces all that it may give back") {
  office o;
  const auto m = o.b.mutex("m");
  o.b.lock(o.clerk, m);
  o.b.ends(o.clerk);
  CHECK(o.steps().done[1].as_announced);
}

TEST_CASE("a wait at a condition variable announces that it is about the mutex, too") {
  office o;
  const auto m = o.b.mutex("m");
  const auto free = o.b.resource("free", resource_kind::condition);
  o.b.lock(o.clerk, m);
  o.b.blocks(o.clerk, operation::cond_wait, free, m);
  CHECK(o.steps().done[1].as_announced);
}

TEST_CASE("of a wait at a condition variable that is over only the mutex is left") {
  office o;
  const auto m = o.b.mutex("m");
  const auto free = o.b.resource("free", resource_kind::condition);
  o.b.does(o.clerk, operation::cond_wait, free, {.second = m});
  SECTION("so it commutes with another one's signal") {
    o.b.does(o.cashier, operation::cond_signal, free);
    CHECK(o.commute());
  }
  SECTION("and not with who wants the mutex") {
    o.b.does(o.cashier, operation::mutex_trylock, m, {.error = EBUSY});
    CHECK_FALSE(o.commute());
  }
}

TEST_CASE("a process ends with all its threads, a thread alone") {
  office o;
  const auto helper = o.b.thread("helper", o.clerk);
  const auto as = o.b.resource("helper", resource_kind::thread);
  const auto x = o.b.memory("x");
  SECTION("so a process's end is ordered with what its other threads do") {
    o.b.load(helper, x, 0);
    o.b.ends(o.clerk);
    CHECK_FALSE(o.commute());
  }
  SECTION("with what others do it is not") {
    o.b.load(o.cashier, x, 0);
    o.b.ends(o.clerk);
    CHECK(o.commute());
  }
  SECTION("and a thread's end is not") {
    o.b.load(o.clerk, x, 0);
    o.b.leaves(helper, as);
    CHECK(o.commute());
  }
}

TEST_CASE("a fork that failed has made nobody") {
  office o;
  o.b.forks(o.clerk, o.cashier);
  o.b.does(o.clerk, operation::fork, no_resource, {.after = 1, .error = EAGAIN});
  const auto steps = o.steps();
  CHECK(steps.done[0].born == o.cashier);
  CHECK(steps.done[1].born == no_task);
}

TEST_CASE("a step has failed if the call that it announced has") {
  office o;
  const auto m = o.b.mutex("m");
  o.b.does(o.clerk, operation::mutex_unlock, m, {.error = EPERM});
  o.b.unlock(o.cashier, m);
  o.b.does(o.cashier, operation::mutex_trylock, m, {.error = EBUSY});
  auto t = o.picked();
  t.events[2].step = t.events[1].step;  // not what was announced, but in the same step
  t.choices.pop_back();
  const auto steps = steps_of(t);
  CHECK(steps.done[0].failed);
  CHECK_FALSE(steps.done[1].failed);
}

// Memory that nobody else has to do with, and a step of which that cannot be said.
struct private_work : office {
  private_work() {
    b.load(clerk, b.memory("mine"), 0);
    b.load(cashier, b.memory("yours"), 0);
  }
};

TEST_CASE("steps on different memory commute") { CHECK(private_work().commute()); }

TEST_CASE("nothing commutes if a call passed that is not under control") {
  auto t = private_work().picked();
  t.passed.push_back({.name = "io_uring_enter", .stack = {}});
  const auto steps = steps_of(t);
  CHECK(conflict(steps.done[0].touched, steps.done[1].touched));
  CHECK(steps.done[0].as_announced);
}

TEST_CASE("a step that leaves its task waiting with a deadline commutes with none") {
  auto t = private_work().picked();
  t.choices[1].left_waiting_for_time = true;
  const auto steps = steps_of(t);
  CHECK(conflict(steps.done[0].touched, steps.done[1].touched));
  CHECK_FALSE(steps.done[0].as_announced);
}

TEST_CASE("a step whose deadline has come commutes with none, and says so beforehand") {
  auto t = private_work().picked();
  t.choices[1].expired = only(t.choices[1].picked);
  const auto steps = steps_of(t);
  CHECK(conflict(steps.done[0].touched, steps.done[1].touched));
  CHECK(steps.announced(0, t.choices[1].picked).everything);
}

TEST_CASE("a step commutes with none if it was given up in time, or has events of others") {
  auto t = private_work().picked();
  SECTION("given up") { t.events[0].how = outcome::timed_out; }
  SECTION("another one's") { t.events[0].task = task_id{1}; }
  const auto steps = steps_of(t);
  CHECK(conflict(steps.done[0].touched, steps.done[1].touched));
}

TEST_CASE("what kills another process commutes with nothing") {
  office o;
  const auto x = o.b.memory("x");
  o.b.load(o.cashier, x, 0);
  o.b.dies(o.cashier, {.kind = task_end::how::signalled, .code = 9});
  auto t = o.picked();
  t.choices[1] = {.enabled = 3, .op = operation::store, .picked = o.clerk};
  const auto steps = steps_of(t);
  CHECK(steps.done[1].touched.everything);
}

TEST_CASE("an expectation that fails touches nothing") {
  office o;
  o.b.does(o.clerk, operation::expect);
  o.b.store(o.cashier, o.b.memory("x"), 0, 1);
  CHECK(o.commute());
}

TEST_CASE("a look that stands back touches nothing") {
  for (const auto op : {operation::load, operation::modify, operation::yield}) {
    office o;
    const auto x = o.b.memory("x");
    o.b.blocks(o.clerk, op, x);
    o.b.store(o.cashier, x, 0, 1);
    CHECK(o.commute());
  }
}

TEST_CASE("two ways to touch one place in a step commute with nothing") {
  footprint both;
  both.add(7, touch::looks);
  both.add(7, touch::closes);
  footprint looks;
  looks.add(7, touch::looks);
  footprint closes;
  closes.add(7, touch::closes);
  CHECK_FALSE(conflict(looks, looks));
  CHECK_FALSE(conflict(closes, closes));
  CHECK(conflict(both, looks));
  CHECK(conflict(both, closes));
}

TEST_CASE("the next step of a task is announced, and at the end what it never came to") {
  office o;
  const auto x = o.b.memory("x");
  const auto y = o.b.memory("y");
  o.b.store(o.clerk, x, 0, 1);
  o.b.store(o.cashier, x, 1, 2);
  o.b.store(o.clerk, y, 0, 1);
  auto t = o.picked();
  t.tasks[1].pending = operation::store;
  t.tasks[1].pending_resource = y;
  const auto steps = steps_of(t);
  CHECK_FALSE(conflict(steps.announced(0, o.clerk), steps.announced(1, o.clerk)));
  CHECK(conflict(steps.announced(1, o.clerk), steps.announced(2, o.cashier)));
  CHECK(steps.at(4).task == o.cashier);
  CHECK(conflict(steps.at(4).touched, steps.done[2].touched));
  CHECK(steps.pending[0].op == operation::none);
}

}  // namespace

#include "checkers/lost_wake_up.hpp"

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct stage {
  trace_builder b;
  task_id waiter = b.task("waiter");
  task_id teller = b.task("teller");
  task_id third = b.task("third");
  resource_id ready = b.resource("ready", resource_kind::condition);
  resource_id word = b.resource("word", resource_kind::futex);
  resource_id signal = b.resource("SIGUSR1 of waiter", resource_kind::signal);

  [[nodiscard]] violation deadlock() {
    b.ends(teller);
    b.ends(third);
    b.raw().how = ending::stuck;
    const auto found = checkers::check_deadlock(b.done(), {});
    REQUIRE(found.size() == 1);
    return found.front();
  }
};

TEST_CASE("a signal that came when nobody waited is named as the lost wake-up") {
  stage s;
  const auto op = GENERATE(operation::cond_signal, operation::cond_broadcast);
  s.b.does(s.teller, operation::cond_signal, s.ready);
  const auto lost = s.b.does(s.teller, op, s.ready);
  const auto wait = s.b.waits(s.waiter, operation::cond_wait, s.ready, {});
  const auto found = s.deadlock();
  CHECK(contains(found.message, "a lost wake-up: the last"));
  CHECK(contains(found.message, "of ready at code.cpp:1 by teller came when nobody waited yet"));
  CHECK(found.evidence == indices{lost, wait});
}

TEST_CASE("a signal that woke somebody else, or came later, was not lost on the waiter") {
  stage s;
  SECTION("somebody else waited") {
    s.b.blocks(s.third, operation::cond_wait, s.ready);
    s.b.does(s.teller, operation::cond_signal, s.ready);
    s.b.does(s.third, operation::cond_wait, s.ready);
    s.b.waits(s.waiter, operation::cond_wait, s.ready, {});
  }
  SECTION("it came later") {
    s.b.does(s.teller, operation::cond_signal, s.ready);
    s.b.waits(s.waiter, operation::cond_wait, s.ready, {});
    s.b.does(s.teller, operation::cond_signal, s.ready);
  }
  SECTION("it was of another condition") {
    s.b.does(s.teller, operation::cond_signal, s.b.resource("other", resource_kind::condition));
    s.b.waits(s.waiter, operation::cond_wait, s.ready, {});
  }
  CHECK(contains(s.deadlock().message, "a lost wake-up, or a signal that nobody sends"));
}

TEST_CASE("a wake of a futex says itself whether anybody waited") {
  stage s;
  const auto woken = GENERATE(0, 1);
  s.b.does(s.teller, operation::futex_wake, s.word, {.result = woken});
  s.b.waits(s.waiter, operation::futex_wait, s.word, {});
  CHECK(contains(s.deadlock().message, "came when nobody waited yet") == (woken == 0));
}

TEST_CASE("a wake that found nobody is not what the waiter missed, if another came later") {
  stage s;
  s.b.does(s.teller, operation::futex_wake, s.word, {.result = 0});
  s.b.waits(s.waiter, operation::futex_wait, s.word, {});
  s.b.does(s.teller, operation::futex_wake, s.word, {.result = 0});  // with other bits
  CHECK_FALSE(contains(s.deadlock().message, "came when nobody waited yet"));
}

TEST_CASE("a signal that was delivered before the pause is named") {
  stage s;
  s.b.does(s.teller, operation::signal_send, s.signal);
  const auto delivered = s.b.does(s.waiter, operation::signal_deliver, s.signal);
  const auto wait = s.b.waits(s.waiter, operation::signal_wait, s.signal, {});
  const auto found = s.deadlock();
  CHECK(contains(found.message, "SIGUSR1 of waiter was delivered before it was waited for"));
  CHECK(found.evidence == indices{delivered, wait});
}

TEST_CASE("a standard signal that was sent while it was pending became one with the other") {
  stage s;
  s.b.does(s.teller, operation::signal_send, s.signal);
  const bool pending = GENERATE(false, true);
  if (!pending) s.b.does(s.waiter, operation::signal_deliver, s.signal);
  s.b.does(s.third, operation::signal_send, s.signal);
  s.b.does(s.waiter, operation::signal_deliver, s.signal);
  s.b.waits(s.waiter, operation::signal_wait, s.signal, {});
  const auto found = s.deadlock();
  CHECK(contains(found.message, "was sent at code.cpp:1 while it was pending already") == pending);
}

TEST_CASE("a signal may come through at first, and be sent twice for one later") {
  stage s;
  s.b.does(s.teller, operation::signal_send, s.signal);
  s.b.does(s.waiter, operation::signal_deliver, s.signal);
  for (int i = 0; i < 2; ++i) s.b.does(s.teller, operation::signal_send, s.signal);
  s.b.does(s.waiter, operation::signal_deliver, s.signal);
  s.b.waits(s.waiter, operation::signal_wait, s.signal, {});
  CHECK(contains(s.deadlock().message, "was sent at code.cpp:3 while it was pending already"));
}

TEST_CASE("who waits for a signal that nobody ever sent has lost none") {
  stage s;
  s.b.waits(s.waiter, operation::signal_wait, s.signal, {});
  CHECK(contains(s.deadlock().message, "a signal that nobody sends"));
}

}  // namespace

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_hang;

TEST_CASE("a livelock names the tasks that ran last, and the limit") {
  trace_builder b;
  const auto early = b.task("early");
  const auto ping = b.task("ping");
  const auto pong = b.task("pong");
  b.ends(early);
  for (int i = 0; i < 600; ++i) {
    b.does(ping, operation::yield);
    b.does(pong, operation::yield);
  }
  b.raw().how = ending::step_limit;
  b.raw().detail = "500 steps without progress";

  const auto found = check_hang(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::hang);
  CHECK(found[0].message ==
        "ping and pong kept running and came to no end: 500 steps without progress");
  CHECK(found[0].tasks == strings{"ping", "pong"});
  CHECK(found[0].evidence == indices{1199, 1200});
  CHECK(tells(found[0], "ping was last seen in its yield at code.cpp:1199"));
}

TEST_CASE("a task that burns processor time is named with its last call") {
  trace_builder b;
  const auto idle = b.task("idle");
  const auto busy = b.task("busy");
  const auto last = b.does(busy, operation::yield);
  b.does(idle, operation::yield);
  b.raw().how = ending::spinning;
  b.raw().culprit = busy;

  const auto found = check_hang(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "busy burns processor time and does not come back after its yield at code.cpp:0");
  CHECK(found[0].tasks == strings{"busy"});
  CHECK(found[0].evidence == indices{last});
}

TEST_CASE("an execution that finished did not hang, and one that was interrupted did not either") {
  trace_builder b;
  b.does(b.task("teller 0"), operation::yield);
  b.raw().how = GENERATE(ending::finished, ending::interrupted, ending::uncontrolled,
                         ending::task_limit, ending::failed, ending::stopped);
  CHECK(check_hang(b.done(), {}).empty());
}

TEST_CASE("a livelock beside a deadlock is explained by the deadlock") {
  trace_builder b;
  const auto stuck = b.task("stuck");
  const auto busy = b.task("busy");
  const auto items = b.resource("items", resource_kind::semaphore);
  b.waits(stuck, operation::sem_wait, items, {});
  b.does(busy, operation::yield);
  b.raw().how = ending::step_limit;
  CHECK(check_hang(b.done(), {}).empty());
  CHECK(checkers::check_deadlock(b.done(), {}).size() == 1);
}

TEST_CASE("a livelock beside a task that could be helped is a hang") {
  trace_builder b;
  const auto waiter = b.task("waiter");
  const auto busy = b.task("busy");
  const auto items = b.resource("items", resource_kind::semaphore);
  b.waits(waiter, operation::sem_wait, items, {busy});
  b.does(busy, operation::yield);
  b.raw().how = ending::step_limit;
  CHECK(check_hang(b.done(), {}).size() == 1);
}

TEST_CASE("being stuck is never passed over, even if no wait explains it") {
  trace_builder b;
  b.task("teller 0");
  b.raw().how = ending::stuck;
  CHECK(check_hang(b.done(), {}).size() == 1);
}

}  // namespace

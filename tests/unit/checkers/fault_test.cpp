// What checkers do not blame a program for: a fault's own doing.
#include "framework/trace/fault.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>

#include "framework/trace/semaphore_operations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

constexpr task_end killed{.kind = task_end::how::signalled, .code = SIGKILL};

std::size_t strikes(trace_builder& b, task_id task, fault_kind kind) {
  return b.does(task, operation::fault, no_resource,
                {.before = index(kind), .after = static_cast<std::uint64_t>(operation::start)});
}

}  // namespace

TEST_CASE("a process that a fault killed did not crash, whichever of its threads it struck") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  const auto thread = b.thread("teller 0/t1", teller);
  const auto other = b.task("teller 1");
  strikes(b, thread, fault_kind::kill);
  b.dies(teller, killed);
  b.dies(other, killed);
  const auto found = checkers::check_crash(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"teller 1"});
}

TEST_CASE("another fault does not excuse a crash") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  strikes(b, teller, fault_kind::enomem);
  b.dies(teller, {.kind = task_end::how::signalled, .code = SIGSEGV});
  CHECK(checkers::check_crash(b.done(), {}).size() == 1);
}

TEST_CASE("an owner that a fault killed is named with it, and a time-out that is kept back") {
  trace_builder b;
  const auto one = b.task("teller 0");
  const auto other = b.task("teller 1");
  const auto x = b.mutex("account X");
  b.lock(one, x);
  const auto fault = strikes(b, one, fault_kind::kill);
  b.dies(one, killed);
  b.waits(other, operation::mutex_lock, x, {});
  b.raw().waits.back().timeout_ignored = true;
  b.raw().how = ending::stuck;
  const auto found = checkers::check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "teller 0 was killed by a fault at step " +
                                       std::to_string(fault) + " while it held it"));
  REQUIRE_FALSE(found[0].details.empty());
  CHECK(contains(found[0].details[0], "its time-out never fires"));
}

namespace {

// Two guests: one takes the door, and the other waits for it for ever.
struct guests {
  trace_builder b;
  task_id first = b.task("guest 0");
  task_id second = b.task("guest 1");
  resource_id door;

  explicit guests(resource_kind kind) : door(b.resource("door", kind)) {}

  static values changing(std::int16_t by, std::uint16_t number = 0, bool undone = false) {
    semaphore_operations all;
    all.add({number, by, undone});
    return {.before = all.before(), .after = all.after()};
  }

  void waits(operation op, values v = {}) {
    const auto at = b.waits(second, op, door, {});
    b.raw().events[at].before = v.before;
    b.raw().events[at].after = v.after;
    b.raw().how = ending::stuck;
  }

  [[nodiscard]] violation found() const {
    const auto all = checkers::check_deadlock(b.done(), {});
    REQUIRE(all.size() == 1);
    return all[0];
  }
};

}  // namespace

TEST_CASE("who took a semaphore last and was killed then is named instead of a missing post") {
  guests g(resource_kind::semaphore);
  const auto taken = g.b.does(g.first, operation::sem_wait, g.door);
  const auto fault = strikes(g.b, g.first, fault_kind::kill);
  g.b.raw().events[fault].step = 7;
  g.b.dies(g.first, killed);
  g.waits(operation::sem_wait);
  const auto found = g.found();
  CHECK(contains(found.message,
                 "guest 0, which took door last at code.cpp:0, was killed by a "
                 "fault at step 7 while it held a unit"));
  CHECK_FALSE(contains(found.message, "a missing post"));
  CHECK(std::count(found.evidence.begin(), found.evidence.end(), taken) == 1);
  CHECK(std::count(found.evidence.begin(), found.evidence.end(), fault) == 1);
}

TEST_CASE("who took a semaphore last and crashed died, and no fault is blamed") {
  guests g(resource_kind::semaphore);
  g.b.does(g.first, operation::sem_trywait, g.door);
  g.b.dies(g.first, {.kind = task_end::how::signalled, .code = SIGSEGV});
  g.waits(operation::sem_wait);
  CHECK(contains(g.found().message, "guest 0, which took door last at code.cpp:0, died while"));
}

TEST_CASE("a post is missing where nobody was killed with the semaphore") {
  guests g(resource_kind::semaphore);
  const auto other = g.b.resource("window", resource_kind::semaphore);
  SECTION("who took it last came to its end") {
    g.b.does(g.first, operation::sem_wait, g.door);
    g.b.ends(g.first);
  }
  SECTION("who was killed had posted it") {
    g.b.does(g.first, operation::sem_wait, g.door);
    g.b.does(g.first, operation::sem_post, g.door);
    strikes(g.b, g.first, fault_kind::kill);
    g.b.dies(g.first, killed);
  }
  SECTION("who was killed had not got it") {
    g.b.does(g.first, operation::sem_trywait, g.door, {.result = -1, .error = EAGAIN});
    g.b.blocks(g.first, operation::sem_wait, g.door);
    strikes(g.b, g.first, fault_kind::kill);
    g.b.dies(g.first, killed);
  }
  SECTION("who was killed had taken another one") {
    g.b.does(g.first, operation::sem_wait, other);
    strikes(g.b, g.first, fault_kind::kill);
    g.b.dies(g.first, killed);
  }
  g.waits(operation::sem_wait);
  CHECK(contains(g.found().message, "a missing post"));
}

TEST_CASE("of a set of semaphores the one is named that was taken by who was killed") {
  guests g(resource_kind::system_v_semaphore);
  const auto window = g.b.resource("window", resource_kind::system_v_semaphore);
  g.b.does(g.first, operation::semop, g.door, guests::changing(-1, 3));
  g.b.does(g.second, operation::semop, g.door, guests::changing(+1, 2));
  g.b.does(g.second, operation::semctl, g.door, {.before = 12});  // GETVAL: it only looks
  g.b.does(g.second, operation::semop, window, guests::changing(+1, 3));
  strikes(g.b, g.first, fault_kind::kill);
  g.b.dies(g.first, killed);
  SECTION("it is waited for") {
    g.waits(operation::semop, guests::changing(-1, 3));
    CHECK(contains(g.found().message, "guest 0, which took semaphore 3 of door last"));
  }
  SECTION("another one is") {
    g.waits(operation::semop, guests::changing(-1, 2));
    CHECK(contains(g.found().message, "a missing post"));
  }
  SECTION("it is waited for to become zero") {
    g.waits(operation::semop, guests::changing(0, 3));
    CHECK(contains(g.found().message, "a value that never becomes zero"));
  }
  SECTION("somebody has waited for it to become zero, and it has") {
    g.b.does(g.second, operation::semop, g.door, guests::changing(0, 3));
    g.waits(operation::semop, guests::changing(-1, 3));
    CHECK(contains(g.found().message, "guest 0, which took semaphore 3 of door last"));
  }
  SECTION("more has been done since than is known") {
    semaphore_operations many;
    for (std::uint16_t number = 4; number < 8; ++number) many.add({number, 1, false});
    g.b.does(g.second, operation::semop, g.door, {.before = many.before(), .after = many.after()});
    g.waits(operation::semop, guests::changing(-1, 3));
    CHECK(contains(g.found().message, "a missing post"));
  }
  SECTION("its value has been set since") {
    g.b.does(g.second, operation::semctl, g.door, {.before = 16});
    g.waits(operation::semop, guests::changing(-1, 3));
    CHECK(contains(g.found().message, "a missing post"));
  }
}

TEST_CASE("what the kernel gave back for who was killed is not blamed on it") {
  guests g(resource_kind::system_v_semaphore);
  g.b.does(g.first, operation::semop, g.door, guests::changing(-1, 0, true));
  strikes(g.b, g.first, fault_kind::kill);
  g.b.dies(g.first, killed);
  g.waits(operation::semop, guests::changing(-2));
  CHECK(contains(g.found().message, "a missing post"));
}

TEST_CASE("where a fault has killed a process, what is left behind is nobody's leak") {
  trace_builder b;
  const auto one = b.task("worker 0");
  const auto other = b.task("worker 1");
  const auto name = b.resource("/gate", resource_kind::semaphore);
  b.does(one, operation::sem_open, name);
  b.raw().leftovers.push_back({.what = "semaphore /gate", .resource = name});
  const auto told = [&] {
    std::size_t count = 0;
    for (const auto& v : checkers::check_leak(b.done(), {}))
      count += contains(v.message, "left behind") ? 1 : 0;
    return count;
  };
  strikes(b, other, fault_kind::eintr);
  CHECK(told() == 1);
  strikes(b, other, fault_kind::kill);
  CHECK(told() == 0);
}

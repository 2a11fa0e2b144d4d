// What checkers do not blame a program for: a fault's own doing.
#include "framework/trace/fault.hpp"

#include <csignal>

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
  strikes(b, one, fault_kind::kill);
  b.dies(one, killed);
  b.waits(other, operation::mutex_lock, x, {});
  b.raw().waits.back().timeout_ignored = true;
  b.raw().how = ending::stuck;
  const auto found = checkers::check_deadlock(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "teller 0 was killed by a fault while it held it"));
  REQUIRE_FALSE(found[0].details.empty());
  CHECK(contains(found[0].details[0], "its time-out never fires"));
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

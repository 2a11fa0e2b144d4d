#include <csignal>

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_crash;

constexpr task_end segfault{.kind = task_end::how::signalled, .code = SIGSEGV};

TEST_CASE("a task that was ended by a signal crashed, after its last call") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  const auto lock = b.mutex("account lock");
  const auto last = b.lock(teller, lock);
  const auto death = b.dies(teller, segfault);

  const auto found = check_crash(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::crash);
  CHECK(found[0].message ==
        "teller 0 was ended by SIGSEGV after its lock of account lock at code.cpp:0");
  CHECK(found[0].tasks == strings{"teller 0"});
  CHECK(found[0].evidence == indices{last, death});
}

TEST_CASE("a signal that the scenario allows is no crash") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  auto end = segfault;
  end.allowed = true;
  b.dies(teller, end);
  CHECK(check_crash(b.done(), {}).empty());
}

TEST_CASE("a task that still lived when the execution was stopped did not crash") {
  trace_builder b;
  b.does(b.task("teller 0"), operation::yield);
  b.raw().how = ending::step_limit;
  CHECK(check_crash(b.done(), {}).empty());
}

TEST_CASE("a child that was killed is its parent's business, one that crashed is not") {
  trace_builder b;
  const auto parent = b.task("parent");
  const auto killed = b.task("killed", parent);
  const auto crashed = b.task("crashed", parent);
  b.dies(killed, {.kind = task_end::how::signalled, .code = SIGKILL});
  b.dies(crashed, segfault);
  const auto found = check_crash(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"crashed"});
}

TEST_CASE("a child that another task ended by a signal did not crash") {
  trace_builder b;
  const auto parent = b.task("parent");
  const auto child = b.task("child", parent);
  const auto other = b.task("other", parent);
  b.does(parent, operation::signal_send, no_resource,
         {.before = SIGTERM, .after = index(child) + 1});
  b.dies(child, {.kind = task_end::how::signalled, .code = SIGTERM});
  b.dies(other, {.kind = task_end::how::signalled, .code = SIGTERM});
  const auto found = check_crash(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"other"});
}

TEST_CASE("a process of the scenario that was killed crashed") {
  trace_builder b;
  b.dies(b.task("teller 0"), {.kind = task_end::how::signalled, .code = SIGKILL});
  CHECK(check_crash(b.done(), {}).size() == 1);
}

TEST_CASE("an exit code is no crash, however bad") {
  trace_builder b;
  b.ends(b.task("teller 0"), 139);
  CHECK(check_crash(b.done(), {}).empty());
}

TEST_CASE("an exception that left a body is a crash, with what it said") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  const auto last = b.does(teller, operation::yield);
  b.raw().failures.push_back(
      {.kind = failure_record::what::exception, .task = teller, .text = "vault is empty"});
  b.ends(teller, 1);

  const auto found = check_crash(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "an exception left the body of teller 0: vault is empty");
  CHECK(found[0].evidence == indices{last});
}

TEST_CASE("a failed expectation is no crash") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  b.raw().failures.push_back({.task = teller, .text = "1 == 2"});
  b.ends(teller);
  CHECK(check_crash(b.done(), {}).empty());
}

}  // namespace

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_exit;

TEST_CASE("an exit code that is not zero is a violation, with the last call before it") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  const auto last = b.does(teller, operation::yield);
  const auto death = b.ends(teller, 3);

  const auto found = check_exit(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "teller 0 ended with exit code 3 after its yield at code.cpp:0");
  CHECK(found[0].evidence == indices{last, death});
}

TEST_CASE("exit code zero is fine") {
  trace_builder b;
  b.ends(b.task("teller 0"), 0);
  CHECK(check_exit(b.done(), {}).empty());
}

TEST_CASE("an exit code that the scenario allows is fine") {
  trace_builder b;
  b.dies(b.task("teller 0"), {.kind = task_end::how::exited, .code = 3, .allowed = true});
  CHECK(check_exit(b.done(), {}).empty());
}

TEST_CASE("what a child of a process exits with is its parent's business") {
  trace_builder b;
  const auto parent = b.task("parent");
  const auto child = b.task("child", parent);
  b.forks(parent, child);
  b.ends(child, 3);
  b.ends(parent);
  CHECK(check_exit(b.done(), {}).empty());
}

TEST_CASE("the number of a signal is no exit code") {
  trace_builder b;
  b.dies(b.task("teller 0"), {.kind = task_end::how::signalled, .code = 9});
  CHECK(check_exit(b.done(), {}).empty());
}

TEST_CASE("an exit that follows from a failed expectation is not told twice") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  b.raw().failures.push_back({.task = teller, .text = "1 == 2"});
  b.ends(teller, 1);
  CHECK(check_exit(b.done(), {}).empty());
}

}  // namespace

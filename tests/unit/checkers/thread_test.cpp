// What checkers make of processes that have threads.
#include <csignal>

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_crash;
using checkers::check_exit;
using checkers::check_leak;

struct server {
  trace_builder b;
  task_id main = b.task("server");
  task_id worker = b.thread("server/t1", main);
  resource_id as_thread = b.resource("thread server/t1", resource_kind::thread);
  resource_id m = b.mutex("m");
};

TEST_CASE("a thread that ended and was not joined is leaked by its process") {
  server s;
  const auto made = s.b.creates(s.main, s.worker, s.as_thread);
  s.b.leaves(s.worker, s.as_thread);
  const auto end = s.b.ends(s.main);
  const auto found = check_leak(s.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "server ended with 1 thread not joined: server/t1 made at code.cpp:0");
  CHECK(found[0].evidence == indices{made, end});
}

TEST_CASE("a thread that was joined, is detached, or still ran is no leak") {
  server s;
  SECTION("joined") {
    s.b.creates(s.main, s.worker, s.as_thread);
    s.b.leaves(s.worker, s.as_thread);
    s.b.joins(s.main, s.worker, s.as_thread);
  }
  SECTION("detached from the start") {
    s.b.creates(s.main, s.worker, s.as_thread, true);
    s.b.leaves(s.worker, s.as_thread);
  }
  SECTION("detached later") {
    s.b.creates(s.main, s.worker, s.as_thread);
    s.b.does(s.worker, operation::thread_detach, s.as_thread, {.after = index(s.worker)});
    s.b.leaves(s.worker, s.as_thread);
  }
  SECTION("it dies with its process") {
    s.b.creates(s.main, s.worker, s.as_thread);
    s.b.dies(s.worker, {.kind = task_end::how::exited, .code = 0});
  }
  s.b.ends(s.main);
  CHECK(check_leak(s.b.done(), {}).empty());
}

TEST_CASE("what one thread opens, another one may close") {
  server s;
  s.b.creates(s.main, s.worker, s.as_thread, true);
  s.b.does(s.worker, operation::open, no_resource, {.result = 7});
  s.b.leaves(s.worker, s.as_thread);
  SECTION("it is closed") {
    s.b.does(s.main, operation::close, no_resource, {.before = 7});
    s.b.ends(s.main);
    CHECK(check_leak(s.b.done(), {}).empty());
  }
  SECTION("it is not") {
    s.b.ends(s.main);
    const auto found = check_leak(s.b.done(), {});
    REQUIRE(found.size() == 1);
    CHECK(found[0].tasks == strings{"server"});
  }
}

TEST_CASE("a thread that ends with a mutex leaks it") {
  server s;
  s.b.creates(s.main, s.worker, s.as_thread, true);
  s.b.lock(s.worker, s.m);
  s.b.leaves(s.worker, s.as_thread);
  s.b.ends(s.main);
  const auto found = check_leak(s.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "server/t1 ended with 1 mutex held: m locked at code.cpp:1");
}

TEST_CASE("a crash of a process with threads is told once, with the thread that came last") {
  server s;
  constexpr task_end segfault{.kind = task_end::how::signalled, .code = SIGSEGV};
  s.b.creates(s.main, s.worker, s.as_thread);
  s.b.lock(s.worker, s.m);
  s.b.dies(s.worker, segfault);
  s.b.dies(s.main, segfault);
  const auto found = check_crash(s.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "server was ended by SIGSEGV after its lock of m at code.cpp:1 in server/t1");
  CHECK(found[0].tasks == strings{"server"});
}

TEST_CASE("an exit code is that of the process, whichever thread brought it about") {
  server s;
  constexpr task_end three{.kind = task_end::how::exited, .code = 3};
  s.b.creates(s.main, s.worker, s.as_thread);
  s.b.dies(s.worker, three);
  s.b.dies(s.main, three);
  const auto found = check_exit(s.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"server"});
}

}  // namespace

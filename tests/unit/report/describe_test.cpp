#include "framework/report/describe.hpp"

#include <sys/sem.h>

#include <cerrno>
#include <csignal>

#include "framework/trace/fault.hpp"
#include "framework/trace/memory_access.hpp"
#include "framework/trace/record_range.hpp"
#include "framework/trace/semaphore_operations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/report/sample_results.hpp"

using namespace forkloom;
using report::describe;

namespace {

trace with_names() {
  trace t;
  t.tasks = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
  t.resources = {{.name = "A"}, {.name = "B"}};
  return t;
}

std::string told(operation op, std::int64_t result = 0, int error = 0,
                 outcome how = outcome::completed) {
  auto e = tests::step(1, 0, op, 0, 5, 6);
  e.result = result;
  e.error = error;
  e.how = how;
  return describe(with_names(), e);
}

}  // namespace

TEST_CASE("memory operations are told with their values", "[report]") {
  CHECK(told(operation::load) == "load A → 5");
  CHECK(told(operation::store) == "store A = 6");
  CHECK(told(operation::modify) == "modify A: 5 → 6");
}

TEST_CASE("an atomic is told with its memory order, a plain access without", "[report]") {
  using sort = memory_access::sort;
  const auto atomic = number_of({.how = sort::atomic, .order = access_order::acquire, .size = 4});
  CHECK(told(operation::load, atomic) == "load A → 5 (acquire)");
  CHECK(told(operation::load, number_of({.how = sort::plain, .size = 4})) == "load A → 5");
  CHECK(told(operation::fence, number_of({.how = sort::atomic, .order = access_order::seq_cst})) ==
        "fence (seq_cst)");
}

TEST_CASE("negative values are told as such", "[report]") {
  auto e = tests::step(1, 0, operation::load, 0, static_cast<std::uint64_t>(-3));
  CHECK(describe(with_names(), e) == "load A → -3");
}

TEST_CASE("calls are told with how they ended", "[report]") {
  CHECK(told(operation::mutex_lock) == "lock A");
  CHECK(told(operation::mutex_lock, 0, 0, outcome::blocked) == "lock A → blocked");
  CHECK(told(operation::mutex_lock, 0, 0, outcome::timed_out) == "lock A → timed out");
  CHECK(told(operation::mutex_trylock, 0, EBUSY) == "trylock A → EBUSY");
  CHECK(told(operation::mutex_lock, EOWNERDEAD) == "lock A → EOWNERDEAD");
  CHECK(told(operation::read, 17) == "read A → 17");
  CHECK(told(operation::read, -1, EAGAIN) == "read A → EAGAIN");
  CHECK(told(operation::load, 0, 99'999) == "load A → error 99999");
}

TEST_CASE("faults are told with what they strike", "[report]") {
  const auto fault = [](fault_kind kind, operation op) {
    auto e = tests::step(1, 0, operation::fault, 0, index(kind), static_cast<std::uint64_t>(op));
    return describe(with_names(), e);
  };
  CHECK(fault(fault_kind::kill, operation::mutex_lock) == "fault: killed in lock A");
  CHECK(fault(fault_kind::stop, operation::store) == "fault: stopped before store A");
  CHECK(fault(fault_kind::eintr, operation::sem_wait) == "fault: EINTR for sem wait A");
  CHECK(fault(fault_kind::enospc, operation::msgget) == "fault: ENOSPC for msgget A");
  CHECK(fault(fault_kind::partial, operation::write) == "fault: only a part of write A");
  CHECK(fault(fault_kind::full, operation::write) == "fault: no room for write A");
  CHECK(fault(fault_kind::wakeup, operation::cond_wait) ==
        "fault: spurious wake-up from cond wait A");
  CHECK(fault(fault_kind::timeout, operation::poll) == "fault: time passes until poll A times out");
}

TEST_CASE("messages are told with their size and priority", "[report]") {
  CHECK(told(operation::mq_send) == "mq send A: 5 bytes, priority 6");
  CHECK(told(operation::mq_send, -1, EAGAIN) == "mq send A → EAGAIN");
  CHECK(told(operation::mq_receive, 1) == "mq receive A → 1 byte, priority 6");
  CHECK(told(operation::mq_receive, 0, 0, outcome::blocked) == "mq receive A → blocked");
  CHECK(told(operation::mq_receive, -1, EMSGSIZE) == "mq receive A → EMSGSIZE");
  CHECK(told(operation::mq_open, 7) == "mq open A → 7");
}

TEST_CASE("event counters and timers are told with their numbers", "[report]") {
  auto t = with_names();
  t.resources[0] = {.name = "eventfd 1", .kind = resource_kind::event_source};
  auto e = tests::step(1, 0, operation::write, 0, 0, 3);
  e.result = 8;
  CHECK(describe(t, e) == "write eventfd 1 + 3");
  e.op = operation::read;
  CHECK(describe(t, e) == "read eventfd 1 → 3");
  e.error = EAGAIN;
  CHECK(describe(t, e) == "read eventfd 1 → EAGAIN");
  CHECK(told(operation::epoll_wait, 2) == "epoll wait A → 2");
  CHECK(told(operation::select, 0, EBADF) == "select A → EBADF");
}

TEST_CASE("new lengths of files are told with the form that was asked for", "[report]") {
  auto e = tests::step(1, 0, operation::truncate, 0, 0, 6);
  CHECK(describe(with_names(), e) == "truncate A to 6 bytes");
  e.before = 1;
  CHECK(describe(with_names(), e) == "allocate A up to byte 6");
}

TEST_CASE("locks on files are told with what they ask for", "[report]") {
  auto e = tests::step(1, 0, operation::record_trylock, 0, 0, 99);
  e.error = EAGAIN;
  CHECK(describe(with_names(), e) == "record trylock A 0–99 → EAGAIN");
  const record_range tail{.first = 512, .shared = true, .of_open_file = true};
  e = tests::step(1, 0, operation::record_lock, 0, first_number(tail), second_number(tail));
  CHECK(describe(with_names(), e) == "record lock A 512–end shared of the open file");
  e = tests::step(1, 0, operation::record_query, 0, 7, 7);
  e.result = 1;
  CHECK(describe(with_names(), e) == "record query A 7 → held");
  CHECK(told(operation::flock, 0, EWOULDBLOCK) == "flock A shared → EAGAIN");
  e = tests::step(1, 0, operation::close, 0, 5, closed_process_records);
  CHECK(describe(with_names(), e) == "close A, which drops the record locks of the process");
}

TEST_CASE("calls on sockets are told with what moved, and which way they end", "[report]") {
  const auto moves = [](operation op, std::uint64_t before, std::uint64_t after, int result) {
    auto e = tests::step(1, 0, op, 0, before, after);
    e.second = resource_id{1};
    e.result = result;
    return describe(with_names(), e);
  };
  CHECK(moves(operation::receive, 100, 0, 17) == "receive A (B) → 17");
  CHECK(moves(operation::send, 17, 0, 17) == "send A (B) → 17");
  CHECK(moves(operation::send, 1, 2, 1) == "send A (B) with 2 descriptors → 1");
  CHECK(moves(operation::accept, 0, 0, 5) == "accept A (B) → 5");
  CHECK(moves(operation::shutdown, 1, 0, 0) == "shutdown A (B) for writing");
  CHECK(moves(operation::shutdown, 2, 0, 0) == "shutdown A (B) both ways");
}

TEST_CASE("System V calls are told with what they ask for", "[report]") {
  CHECK(told(operation::msgsnd) == "msgsnd A type 5, 6 bytes");
  CHECK(told(operation::msgrcv, 0, 0, outcome::blocked) == "msgrcv A type 5 → blocked");
  CHECK(told(operation::msgrcv, 8) == "msgrcv A type 5 → 8 bytes of type 6");
  CHECK(told(operation::shmctl) == "shmctl A command 5");

  semaphore_operations all;
  all.add({0, -1, true});
  all.add({2, 3, false});
  all.add({1, 0, false});
  auto e = tests::step(1, 0, operation::semop, 0, all.before(), all.after());
  CHECK(describe(with_names(), e) == "semop A [0]-1 undo [2]+3 [1]=0");
  e = tests::step(1, 0, operation::semctl, 0, GETVAL, 1);
  e.result = 7;
  CHECK(describe(with_names(), e) == "semctl A GETVAL [1] → 7");
  e.before = GETPID;
  CHECK(describe(with_names(), e) == "semctl A GETPID [1]");
  e.before = IPC_RMID;
  CHECK(describe(with_names(), e) == "semctl A IPC_RMID");
}

TEST_CASE("results that differ from run to run are not told", "[report]") {
  CHECK(told(operation::fork, 4711) == "fork A");
  CHECK(told(operation::map, 0x7fff'0000) == "map A");
  CHECK(told(operation::sem_open, 0x7fff'0000) == "sem open A");
}

TEST_CASE("a second resource is told, a missing one is not", "[report]") {
  auto e = tests::step(1, 0, operation::cond_wait, 0);
  e.second = resource_id{1};
  CHECK(describe(with_names(), e) == "cond wait A (B)");
  e.resource = e.second = no_resource;
  CHECK(describe(with_names(), e) == "cond wait");
}

TEST_CASE("ends of tasks are told", "[report]") {
  CHECK(describe(task_end{}) == "still alive");
  CHECK(describe(task_end{.kind = task_end::how::exited, .code = 3}) == "exited with 3");
  CHECK(describe(task_end{.kind = task_end::how::signalled, .code = SIGKILL}) ==
        "killed by signal 9 (SIGKILL)");
}

TEST_CASE("a wait names the owner, or else who could help, or that nobody can", "[report]") {
  auto t = with_names();
  const wait_record wait{.task = task_id{0},
                         .op = operation::sem_wait,
                         .resources = {resource_id{1}},
                         .releasers = {task_id{1}, task_id{2}}};
  CHECK(describe(t, wait) == "a waits for B (sem wait); b or c could let it go on");
  t.resources[1].owner = task_id{2};
  CHECK(describe(t, wait) == "a waits for B (sem wait), held by c");
  const wait_record hopeless{
      .task = task_id{1}, .op = operation::poll, .resources = {resource_id{0}, resource_id{1}}};
  CHECK(describe(t, hopeless) == "b waits for A or B (poll); no living task could let it go on");
}

TEST_CASE("every way to end that is not a matter of course has a sentence", "[report]") {
  auto t = with_names();
  t.culprit = task_id{1};
  t.detail = "why";
  for (int how = 0; how <= static_cast<int>(ending::failed); ++how) {
    t.how = static_cast<ending>(how);
    const bool silent = t.how == ending::finished || t.how == ending::stopped;
    CHECK(report::describe_ending(t).empty() == silent);
  }
}

TEST_CASE("lists read as in a sentence", "[report]") {
  CHECK(report::listed({}) == "nothing");
  CHECK(report::listed({"a"}) == "a");
  CHECK(report::listed({"a", "b"}) == "a and b");
  CHECK(report::listed({"a", "b", "c"}) == "a, b and c");
}

TEST_CASE("a place loses its directories", "[report]") {
  CHECK(report::short_place("/a/b/c.cpp:12") == "c.cpp:12");
  CHECK(report::short_place("c.cpp:12") == "c.cpp:12");
  CHECK(report::short_place("").empty());
}

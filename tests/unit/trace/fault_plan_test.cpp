#include "framework/trace/fault_plan.hpp"

#include <cerrno>
#include <set>
#include <string>

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using Catch::Contains;

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(parse_faults(text));
  } catch (const usage_error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("faults are read with their numbers, one where none is given", "[faults]") {
  const auto plan = parse_faults("eintr:2,kill");
  CHECK(plan.most[index(fault_kind::kill)] == 1);
  CHECK(plan.most[index(fault_kind::eintr)] == 2);
  CHECK(plan.most[index(fault_kind::partial)] == 0);
  CHECK(to_string(plan) == "kill:1,eintr:2");
  CHECK(parse_faults("").empty());
  CHECK(to_string(fault_plan{}).empty());
}

TEST_CASE("a fault that there is not is refused with those that there are", "[faults]") {
  CHECK_THAT(refusal("luck:1"), Contains("\"luck\"") && Contains("none of that name") &&
                                    Contains("kill, stop, eintr, partial, eagain, enospc, "
                                             "emfile, enomem, full, wakeup, timeout"));
  CHECK_THAT(refusal("kill:1,"), Contains("none of that name"));
  CHECK_THAT(refusal("kill:1,kill:2"), Contains("named twice"));
}

TEST_CASE("a fault that may never happen, or too often, is refused", "[faults]") {
  for (const auto* text :
       {"kill:0", "kill:101", "kill:", "kill:-1", "kill:1x", "kill:1:1", "kill:99999999999"}) {
    INFO(text);
    CHECK_THAT(refusal(text), Contains("whole one from 1 to 100") && Contains("1 … 100"));
  }
  CHECK(refusal("kill:100") == "accepted");
}

TEST_CASE("policies of time-outs are read by their names", "[faults]") {
  for (const auto policy : {timeout_policy::idle, timeout_policy::race, timeout_policy::never})
    CHECK(parse_timeouts(name(policy)) == policy);
  CHECK(parse_timeouts("idle") == timeout_policy::idle);
  CHECK(parse_timeouts("race") == timeout_policy::race);
  CHECK(parse_timeouts("never") == timeout_policy::never);
  CHECK_THROWS_AS(parse_timeouts("sometimes"), usage_error);
  CHECK_THROWS_WITH(parse_timeouts("sometimes"),
                    Contains("\"sometimes\"") && Contains("idle, race or never"));
}

TEST_CASE("every fault has a name of its own, a place and an explanation", "[faults]") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < fault_kind_count; ++i) {
    const auto& d = description(fault_kind(i));
    names.insert(d.name);
    CHECK_FALSE(d.where.empty());
    CHECK_FALSE(d.what_it_is.empty());
  }
  CHECK(names.size() == fault_kind_count);
  // A trace from a file may have any number.
  CHECK(name(fault_kind::count_) == name(fault_kind::timeout));
}

namespace {

std::set<operation> struck_by(fault_kind kind) {
  std::set<operation> found;
  for (std::size_t i = 0; i < static_cast<std::size_t>(operation::count_); ++i)
    if (contains(faults_of(operation(i)), kind)) found.insert(operation(i));
  return found;
}

}  // namespace

TEST_CASE("what waits for as long as it takes may be interrupted, but no mutex", "[faults]") {
  // signal(7), "Interruption of system calls", but for what Linux restarts whatever is asked for.
  using enum operation;
  CHECK(struck_by(fault_kind::eintr) ==
        std::set{wait_child,  sem_wait,         open,        read,       write,   poll,
                 select,      epoll_wait,       mq_send,     mq_receive, semop,   msgsnd,
                 msgrcv,      accept,           connect,     send,       receive, flock,
                 record_lock, operation::sleep, signal_wait, futex_wait});
}

TEST_CASE("what makes a descriptor may find all numbers taken", "[faults]") {
  using enum operation;
  CHECK(struck_by(fault_kind::emfile) == std::set{sem_open, operation::pipe, open, operation::dup,
                                                  epoll_create, eventfd, timerfd, shm_open, memfd,
                                                  mq_open, socket, accept});
}

TEST_CASE("what makes a name or an object may find no room", "[faults]") {
  using enum operation;
  CHECK(struck_by(fault_kind::enospc) == std::set{mkfifo, open, epoll_control, shm_open, mkdir,
                                                  operation::link, operation::rename, mq_open,
                                                  shmget, semget, msgget});
}

TEST_CASE("what makes a process or a thread may be at a limit", "[faults]") {
  CHECK(struck_by(fault_kind::eagain) == std::set{operation::fork, operation::thread_create});
}

TEST_CASE("what the kernel needs memory for may find none", "[faults]") {
  for (const auto op : {operation::fork, operation::map, operation::semop, operation::msgsnd,
                        operation::send, operation::poll, operation::mq_open})
    CHECK(contains(faults_of(op), fault_kind::enomem));
  for (const auto op : {operation::read, operation::sem_wait, operation::mutex_lock,
                        operation::mq_send, operation::msgrcv, operation::pipe})
    CHECK_FALSE(contains(faults_of(op), fault_kind::enomem));
}

TEST_CASE("the errors of calls have their numbers, and other faults have none", "[faults]") {
  CHECK(error_of(fault_kind::eintr) == EINTR);
  CHECK(error_of(fault_kind::eagain) == EAGAIN);
  CHECK(error_of(fault_kind::enospc) == ENOSPC);
  CHECK(error_of(fault_kind::emfile) == EMFILE);
  CHECK(error_of(fault_kind::enomem) == ENOMEM);
  CHECK(error_of(fault_kind::kill) == 0);
}

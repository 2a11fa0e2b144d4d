#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/execution/faults.hpp"
#include "framework/trace/fault_plan.hpp"
#include "tests/catch.hpp"
#include "tests/unit/execution/stage.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::execution;
using namespace forkloom::execution_test;

using policy = timeout_policy;

// An execution with these faults; all draws are 0 but those that are given.
class disturbed : public stage {
 public:
  disturbed(std::size_t tasks, const std::string& plan, policy timeouts = policy::idle,
            std::vector<scheduled_draw> draws = {})
      : stage(tasks, {}, std::move(draws)) {
    a().config.faults = parse_faults(plan);
    a().config.timeouts = timeouts;
    faults::begin(a());
    set_current_arena(&a());
  }
  disturbed(const disturbed&) = delete;
  disturbed& operator=(const disturbed&) = delete;
  ~disturbed() { set_current_arena(nullptr); }

  void waits(task_id task, operation op, std::uint64_t deadline) {
    a()[task].pending = op;
    block(task, {}, deadline);
  }
  [[nodiscard]] bool happens(fault_kind kind) { return faults::happens(a(), kind); }
  [[nodiscard]] bool possible(fault_kind kind) { return faults::possible(a(), kind); }
  [[nodiscard]] std::uint32_t chances(fault_kind kind) { return a().faults.chances[index(kind)]; }

  // The process stops, as it does once somebody else is picked.
  void stops(task_id process) {
    a().faults.stopped.insert(process);
    a()[process].stopped = true;
    s().enabled.erase(process);
    s().stop_due = process;
  }
};

// Happening.

TEST_CASE("how rare a fault is the seed says, and of each kind another thing") {
  disturbed d(1, "kill:1,eintr:1");
  std::set<std::uint32_t> rarities;
  bool differ = false;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    d.a().config.random_seed = seed;
    faults::begin(d.a());
    const auto& one_in = d.a().faults.one_in;
    rarities.insert(one_in[index(fault_kind::kill)]);
    differ |= one_in[index(fault_kind::kill)] != one_in[index(fault_kind::eintr)];
  }
  CHECK(rarities == std::set<std::uint32_t>{2, 8, 32, 128, 512});
  CHECK(differ);
}

TEST_CASE("a fault happens as often as it was asked for, and then not any more") {
  disturbed d(1, "eintr:2", policy::idle, {{0, 0, 1}, {0, 2, 1}});
  CHECK_FALSE(d.possible(fault_kind::kill));
  CHECK(d.happens(fault_kind::eintr));
  CHECK_FALSE(d.happens(fault_kind::eintr));
  CHECK(d.possible(fault_kind::eintr));
  CHECK(d.happens(fault_kind::eintr));
  CHECK_FALSE(d.possible(fault_kind::eintr));
  CHECK(d.chances(fault_kind::eintr) == 3);
}

TEST_CASE("a new execution has all faults before it, and nobody is stopped") {
  disturbed d(1, "stop:1", policy::idle, {{0, 0, 1}});
  CHECK(d.happens(fault_kind::stop));
  d.stops(one);
  faults::begin(d.a());
  CHECK(d.possible(fault_kind::stop));
  CHECK(d.chances(fault_kind::stop) == 0);
  CHECK(d.a().faults.stopped.empty());
  d.a().config.faults = parse_faults("kill:1");
  faults::begin(d.a());
  CHECK_FALSE(d.possible(fault_kind::stop));
  CHECK(d.possible(fault_kind::kill));
}

TEST_CASE("a fault is told with its kind and what it struck, and changes the hash") {
  disturbed d(2, "eintr:1");
  const auto gate = d.resource(1);
  const auto before = d.s().hash;
  faults::tell(d.a(), other, fault_kind::eintr, operation::sem_wait, gate, 77);
  const auto events = d.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0].op == operation::fault);
  CHECK(events[0].task == other);
  CHECK(events[0].resource == gate);
  CHECK(fault_of(events[0]) == fault_kind::eintr);
  CHECK(operation(events[0].after) == operation::sem_wait);
  CHECK(events[0].site == 77);
  const auto after = d.s().hash;
  CHECK(after != before);
  // Another task's, or another kind, is another execution.
  d.s().hash = before;
  faults::tell(d.a(), one, fault_kind::eintr, operation::sem_wait, gate, 77);
  CHECK(d.s().hash != after);
  d.s().hash = before;
  faults::tell(d.a(), other, fault_kind::kill, operation::sem_wait, gate, 77);
  CHECK(d.s().hash != after);
}

// Early time-outs.

constexpr std::uint64_t second_ns = 1'000'000'000;
const std::vector<scheduled_draw> no_draws;

std::uint64_t in(disturbed& d, std::uint64_t seconds) {
  return d.s().clock_ns + seconds * second_ns;
}

TEST_CASE("an early time-out needs somebody who waits with one") {
  disturbed d(3, "timeout:1", policy::idle, {{0, 0, 1}});
  d.waits(one, operation::sem_wait, no_deadline);
  d.a()[other].deadline_ns = in(d, 1);  // it does not wait any more
  CHECK(faults::draw_deadline(d.a()).deadline_ns == no_deadline);
  CHECK(d.chances(fault_kind::timeout) == 0);
}

TEST_CASE("time passes early if that is drawn, until the time-out of one who waits") {
  const bool drawn = GENERATE(true, false);
  disturbed d(2, "timeout:1", policy::idle,
              drawn ? std::vector<scheduled_draw>{{0, 0, 1}} : no_draws);
  const auto deadline = in(d, 5);
  d.waits(other, operation::sem_wait, deadline);
  const auto early = faults::draw_deadline(d.a());
  CHECK(early.task == (drawn ? other : no_task));
  CHECK(early.deadline_ns == (drawn ? deadline : no_deadline));
  CHECK(d.chances(fault_kind::timeout) == 1);
  CHECK(d.possible(fault_kind::timeout) == !drawn);
}

TEST_CASE("any of several time-outs may be the one that comes early") {
  const auto which = GENERATE(0U, 1U, 2U);
  std::vector<scheduled_draw> draws{{0, 0, 1}};
  if (which != 0) draws.push_back({0, 1, which});
  disturbed d(4, "timeout:1", policy::idle, draws);
  const std::vector<std::uint64_t> deadlines{in(d, 9), in(d, 5), in(d, 7)};
  const std::vector<task_id> who{one, other, task_id{3}};
  for (std::size_t i = 0; i < who.size(); ++i) d.waits(who[i], operation::poll, deadlines[i]);
  const auto early = faults::draw_deadline(d.a());
  CHECK(early.task == who[which]);
  CHECK(early.deadline_ns == deadlines[which]);
}

TEST_CASE("a sleep ends early only where time-outs race") {
  const auto timeouts = GENERATE(policy::idle, policy::race);
  disturbed d(2, "timeout:1", timeouts, {{0, 0, 1}});
  d.waits(other, operation::sleep, in(d, 5));
  const bool races = timeouts == policy::race;
  CHECK(faults::draw_deadline(d.a()).task == (races ? other : no_task));
  CHECK(d.chances(fault_kind::timeout) == (races ? 1 : 0));
}

TEST_CASE("a spinner that stands back for time has no time-out") {
  const auto op = GENERATE(operation::load, operation::modify, operation::yield);
  disturbed d(2, "", policy::race, {{0, 0, 1}});
  const auto deadline = in(d, 5);
  d.waits(one, op, deadline);
  d.s().next_deadline_ns = deadline;
  CHECK(faults::draw_deadline(d.a()).deadline_ns == no_deadline);
  CHECK(d.chances(fault_kind::timeout) == 0);
}

TEST_CASE("a timer rings early where time-outs race, if it is due before all waits") {
  const auto timeouts = GENERATE(policy::idle, policy::race);
  const bool first = GENERATE(true, false);
  disturbed d(2, "timeout:1", timeouts, {{0, 0, 1}, {0, 1, 1}});
  d.waits(other, operation::poll, in(d, 5));
  const auto timer = in(d, first ? 3 : 5);
  d.s().next_deadline_ns = timer;
  const auto early = faults::draw_deadline(d.a());
  const bool rings = first && timeouts == policy::race;
  CHECK(early.task == (rings ? no_task : other));
  CHECK(early.deadline_ns == (rings ? timer : in(d, 5)));
}

TEST_CASE("where time-outs race there is no bound to them, but to other faults") {
  disturbed d(1, "timeout:1,eintr:1", policy::race, {{0, 0, 1}, {0, 1, 1}, {0, 2, 1}});
  CHECK(d.happens(fault_kind::timeout));
  CHECK(d.happens(fault_kind::timeout));
  CHECK(d.possible(fault_kind::timeout));
  CHECK(d.happens(fault_kind::eintr));
  CHECK_FALSE(d.possible(fault_kind::eintr));
}

TEST_CASE("where time-outs never come they are no fault, unless they are asked for") {
  CHECK_FALSE(disturbed(1, "", policy::never).possible(fault_kind::timeout));
  CHECK_FALSE(disturbed(1, "", policy::idle).possible(fault_kind::timeout));
  CHECK(disturbed(1, "", policy::race).possible(fault_kind::timeout));
}

// Stopped processes.

TEST_CASE("a stopped process goes on when that is drawn") {
  const bool drawn = GENERATE(true, false);
  disturbed d(2, "stop:1", policy::idle, drawn ? std::vector<scheduled_draw>{{0, 0, 1}} : no_draws);
  d.stops(one);
  faults::let_stopped_go_on(d.a());
  CHECK(d.enabled(one) == drawn);
  CHECK(d.a()[one].stopped != drawn);
  CHECK(d.s().stop_due == (drawn ? no_task : one));
  CHECK(d.a().faults.stopped.empty() == drawn);
}

TEST_CASE("a process that goes on already, or is dead, is not let go on again") {
  // The process that the task stands for here would be sent it.
  sigset_t continues;
  sigset_t before;
  ::sigemptyset(&continues);
  ::sigaddset(&continues, SIGCONT);
  ::pthread_sigmask(SIG_BLOCK, &continues, &before);
  disturbed d(2, "stop:1", policy::idle, {{0, 0, 1}});
  d.a()[one].pid = ::getpid();
  d.stops(one);
  d.s().stop_due = no_task;
  SECTION("somebody else has let it go on") { d.a()[one].stopped = false; }
  SECTION("it is dead") { death(d.a(), one, SIGKILL); }
  faults::let_stopped_go_on(d.a());
  CHECK(d.a().faults.stopped.empty());
  sigset_t pending;
  ::sigpending(&pending);
  CHECK(::sigismember(&pending, SIGCONT) == 0);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("where nobody can go on a stopped process does, unless time passes first") {
  const bool time_first = GENERATE(true, false);
  disturbed d(2, "stop:1", policy::idle,
              time_first ? std::vector<scheduled_draw>{{0, 0, 1}} : no_draws);
  CHECK_FALSE(faults::wake_stopped(d.a()));
  d.stops(one);
  d.waits(other, operation::sleep, in(d, 5));
  CHECK(faults::wake_stopped(d.a()) != time_first);
  CHECK(d.enabled(one) != time_first);
}

TEST_CASE("where nobody can go on and no time is to come a stopped process does") {
  disturbed d(2, "stop:1", policy::idle, {{0, 0, 1}});
  d.stops(one);
  d.waits(other, operation::sem_wait, no_deadline);
  CHECK(faults::wake_stopped(d.a()));
  CHECK(d.enabled(one));
}

}  // namespace

#include "framework/strategy/systematic.hpp"

#include <array>

#include "tests/catch.hpp"
#include "tests/unit/strategy/enabled.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::strategy;
using forkloom::testing::enabled;

// What each task is about to do.
struct announced {
  std::array<pending_operation, 3> next;

  static pending_operation ask(const void* context, task_id task) noexcept {
    return static_cast<const announced*>(context)->next.at(index(task));
  }
  [[nodiscard]] announcements pending() const { return {ask, this}; }
};

pending_operation store(unsigned place) {
  return {.op = operation::store, .kind = resource_kind::memory, .resource = resource_id(place)};
}
pending_operation lock(unsigned mutex) {
  return {
      .op = operation::mutex_lock, .kind = resource_kind::mutex, .resource = resource_id(mutex)};
}

// The pick of these tasks, after `current` had the token.
unsigned pick(systematic& strategy, std::initializer_list<unsigned> tasks, task_id current,
              const announced& tasks_next) {
  const auto able = enabled(tasks);
  return static_cast<unsigned>(
      index(strategy.pick({.enabled = able, .current = current, .pending = tasks_next.pending()})));
}

TEST_CASE("after its course it goes on without preemptions") {
  const std::array picks{scheduled_pick{1, task_id(2)}};
  const announced program{{store(0), store(1), store(2)}};
  systematic s(course{.prefix = {picks, {}}, .prefix_length = 2});
  s.begin(1);
  CHECK(pick(s, {0, 1, 2}, no_task, program) == 0);
  CHECK(pick(s, {0, 1, 2}, task_id(0), program) == 2);
  CHECK(pick(s, {0, 1, 2}, task_id(2), program) == 2);
  CHECK(pick(s, {0, 1}, task_id(2), program) == 0);
}

TEST_CASE("what could have been picked is recorded") {
  std::array<choice_record, 4> room{};
  const announced program{{store(7), store(1), store(2)}};
  systematic s;
  s.record_into(room);
  s.begin(1);
  CHECK(pick(s, {0, 2}, no_task, program) == 0);
  REQUIRE(s.recorded().size() == 1);
  CHECK(room[0].enabled == 0b101);
  CHECK(room[0].picked == task_id(0));
  CHECK(room[0].op == operation::store);
  CHECK(room[0].resource == resource_id(7));
}

TEST_CASE("a task sleeps until something is done that conflicts with what it is about to do") {
  const announced program{{store(0), store(0), store(1)}};
  systematic s(course{.prefix_length = 1, .asleep = 0b010});
  s.begin(1);
  // The prefix's pick is at another place: task 1 sleeps on, and is passed over.
  announced first = program;
  first.next[0] = store(5);
  CHECK(pick(s, {0, 1, 2}, no_task, first) == 0);
  CHECK(pick(s, {1, 2}, task_id(0), program) == 2);
  // So was the next one. Then task 0 changes what task 1 wants to change, and that wakes it.
  CHECK(pick(s, {0, 1}, task_id(2), program) == 0);
  CHECK(pick(s, {1, 2}, task_id(0), program) == 1);
}

TEST_CASE("an attempt that must wait wakes nobody") {
  const announced program{{store(0), lock(1), lock(1)}};
  const std::array picks{scheduled_pick{0, task_id(1)}};
  systematic trying(course{.prefix = {picks, {}}, .prefix_length = 1, .asleep = 0b100});
  trying.begin(1);
  CHECK(pick(trying, {0, 1, 2}, no_task, program) == 1);
  // Task 1 is not enabled any more, and still about to lock: it waits.
  CHECK(pick(trying, {0, 2}, task_id(1), program) == 0);
}

TEST_CASE("when everybody sleeps, somebody goes on") {
  const announced program{{store(0), store(1), store(2)}};
  systematic s(course{.prefix_length = 1, .asleep = 0b110});
  s.begin(1);
  CHECK(pick(s, {0, 1, 2}, no_task, program) == 0);
  CHECK(pick(s, {1, 2}, task_id(0), program) == 1);
}

TEST_CASE("calls that may have to wait are tried as soon as they are announced, if asked") {
  const announced program{{store(0), store(1), lock(2)}};
  systematic s(course{.tries_early = true});
  s.begin(1);
  CHECK(pick(s, {0, 1, 2}, no_task, program) == 2);
  CHECK(pick(s, {0, 1}, task_id(2), program) == 0);
}

TEST_CASE("time, signals and ends of tasks are in the way of more than their resource") {
  const pending_operation clock{.op = operation::clock_read};
  const pending_operation exit{.op = operation::exit};
  const pending_operation pipe{
      .op = operation::write, .kind = resource_kind::pipe, .resource = resource_id(3)};
  CHECK(may_conflict(clock, store(0)));
  CHECK(may_conflict(exit, pipe));
  CHECK_FALSE(may_conflict(exit, store(0)));
  CHECK_FALSE(may_conflict({.op = operation::start}, store(0)));
  CHECK(may_conflict({.op = operation::cond_wait, .kind = resource_kind::condition}, lock(1)));
  CHECK_FALSE(may_conflict(store(0), store(1)));
  auto late = store(1);
  late.expired = true;
  CHECK(may_conflict(store(0), late));
}

TEST_CASE("a fork is in the way of what its process does, and of nobody else's") {
  const pending_operation fork{.op = operation::fork,
                               .kind = resource_kind::process,
                               .resource = resource_id(4),
                               .process = task_id(0)};
  auto own = lock(1);
  own.process = task_id(0);
  auto others = lock(1);
  others.process = task_id(1);
  CHECK(may_conflict(fork, own));
  CHECK(may_conflict(own, fork));
  CHECK_FALSE(may_conflict(fork, others));
}

TEST_CASE("the ends of a parent and of its child are in each other's way, strangers' are not") {
  const pending_operation parent{.op = operation::exit, .children = resource_id(4)};
  const pending_operation child{.op = operation::exit, .resource = resource_id(4)};
  const pending_operation brother = child;
  const pending_operation stranger{.op = operation::exit, .resource = resource_id(5)};
  CHECK(may_conflict(parent, child));
  CHECK(may_conflict(child, parent));
  CHECK(may_conflict(child, brother));
  CHECK_FALSE(may_conflict(parent, stranger));
  CHECK_FALSE(may_conflict(stranger, parent));
  CHECK_FALSE(may_conflict(parent, parent));
}

}  // namespace

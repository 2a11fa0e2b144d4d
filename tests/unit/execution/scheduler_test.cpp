#include "framework/execution/scheduler.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "framework/execution/call.hpp"
#include "framework/execution/harvest.hpp"
#include "tests/catch.hpp"
#include "tests/unit/execution/stage.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::execution;
using namespace forkloom::execution_test;

const forkloom::schedule drawn{.picks = {}, .draws = {{0, 0, 4}, {1, 1, 1}}};

// Birth and death.

TEST_CASE("a newborn task is enabled, has its name and is about to start") {
  stage st(1);
  const auto child = birth(st.a(), one, "a child with a name of more than thirty-one letters");
  CHECK(child == other);
  CHECK(st.enabled(child));
  CHECK(st.s().living == 2);
  const auto& t = st.a()[child];
  CHECK(t.parent == one);
  CHECK(t.state == task_state::ready);
  CHECK(t.pending == operation::start);
  CHECK(std::string(st.a().details[index(child)].name.data()) == "a child with a name of more tha");
}

TEST_CASE("a birth whose fork failed leaves no trace") {
  stage st(1);
  unborn(st.a(), birth(st.a(), one, "child"));
  CHECK(st.s().living == 1);
  CHECK(st.s().task_count == 1);
  CHECK_FALSE(st.enabled(other));
}

TEST_CASE("one task more than there is room for ends the execution") {
  stage st(task_capacity);
  CHECK_FALSE(st.s().ended.load());
  CHECK(birth(st.a(), one, "one too many") == no_task);
  CHECK(st.s().ended.load());
  CHECK(st.s().how == ending::task_limit);
  CHECK(choose(st.a(), one, false) == no_task);
}

TEST_CASE("a death writes an event and lets all retry that it may unblock") {
  stage st(3);
  st.block(one, {st.resource(1)});
  st.block(other, {st.resource(2)}, no_deadline, false);
  death(st.a(), third, 9);
  CHECK(st.enabled(one));
  CHECK(st.a()[one].cause == wake::retry);
  CHECK_FALSE(st.enabled(other));
  CHECK_FALSE(st.enabled(third));
  CHECK(st.s().living == 2);
  const auto events = st.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0].op == operation::exit);
  CHECK(events[0].task == third);
  CHECK(events[0].result == 9);
}

TEST_CASE("a task dies once") {
  stage st(2);
  death(st.a(), one, 0);
  death(st.a(), one, 9);
  CHECK(st.s().living == 1);
  CHECK(st.a().log.event_count() == 1);
  CHECK(st.a()[one].wait_status == 0);
}

TEST_CASE("a task that died while another one ran is buried at the next choice") {
  stage st(2);
  st.a()[other].wait_status = 9;
  st.a()[other].died.store(true);
  st.a().controller.unnoticed_deaths.store(1);
  CHECK(choose(st.a(), one, false) == one);
  CHECK(st.a()[other].state == task_state::dead);
  CHECK(st.s().living == 1);
  CHECK(st.a().controller.unnoticed_deaths.load() == 0);
}

TEST_CASE("an execution whose tasks have all died has finished") {
  stage st(2);
  death(st.a(), one, 0);
  death(st.a(), other, 0);
  CHECK(choose(st.a(), no_task, false) == no_task);
  CHECK(st.s().how == ending::finished);
}

// Choosing.

TEST_CASE("a choice is a step: it is recorded, counted, and takes time") {
  stage st(2, {other, other, one});
  CHECK(choose(st.a(), one, false) == other);
  CHECK(choose(st.a(), other, false) == other);
  CHECK(choose(st.a(), other, false) == one);
  CHECK(st.s().step == 3);
  CHECK(st.s().switches == 2);
  CHECK(st.s().running == one);
  CHECK(st.s().clock_ns == clock_start_ns + 3 * step_duration_ns);
  CHECK(st.picks() == std::vector{other, other, one});
}

TEST_CASE("the hash tells who was picked, for what and on which resource") {
  const auto hash = [](task_id picked, operation op, resource_id on) {
    stage st(2, {picked});
    st.a()[picked].pending = op;
    st.a()[picked].pending_resource = on;
    (void)choose(st.a(), no_task, false);
    return st.s().hash;
  };
  const auto lock = hash(one, operation::mutex_lock, resource_id{3});
  CHECK(hash(one, operation::mutex_lock, resource_id{3}) == lock);
  CHECK(hash(other, operation::mutex_lock, resource_id{3}) != lock);
  CHECK(hash(one, operation::mutex_unlock, resource_id{3}) != lock);
  CHECK(hash(one, operation::mutex_lock, resource_id{4}) != lock);
}

TEST_CASE("a blocked task is not chosen") {
  stage st(2, {one});
  st.block(one, {st.resource(1)});
  CHECK(choose(st.a(), one, false) == other);
}

TEST_CASE("an execution in which all living tasks are blocked for good is stuck") {
  stage st(3);
  death(st.a(), third, 0);
  st.block(one, {st.resource(1)});
  st.block(other, {st.resource(1)});
  CHECK(choose(st.a(), other, false) == no_task);
  CHECK(st.s().how == ending::stuck);
}

TEST_CASE("the first reason for an execution to end is the one that counts") {
  stage st(1);
  end_execution(st.a(), ending::spinning);
  end_execution(st.a(), ending::step_limit);
  CHECK(st.s().how == ending::spinning);
  CHECK(choose(st.a(), one, false) == no_task);
}

// Blocking and waking.

TEST_CASE("a change wakes all who wait for that resource and nobody else") {
  stage st(3);
  const auto changed = st.resource(1);
  st.block(one, {changed});
  st.block(other, {st.resource(2)});
  st.block(third, {changed});
  wake_waiters(st.a(), changed);
  CHECK(st.enabled(one));
  CHECK_FALSE(st.enabled(other));
  CHECK(st.enabled(third));
  CHECK(st.a().resources[changed].waiters.empty());
}

TEST_CASE("a task that waits for any of several leaves all of them when one wakes it") {
  stage st(2);
  const auto first = st.resource(1);
  const auto second = st.resource(2);
  st.block(one, {first, second});
  wake_waiters(st.a(), second);
  CHECK(st.enabled(one));
  CHECK(st.a().resources[first].waiters.empty());
  st.block(one, {st.resource(3)});
  wake_waiters(st.a(), first);
  CHECK_FALSE(st.enabled(one));
}

TEST_CASE("a task that waits for more resources than it can list is woken by any change") {
  stage st(2);
  std::vector<resource_id> many;
  for (std::uint64_t i = 0; i <= wait_capacity; ++i) many.push_back(st.resource(i));
  const auto elsewhere = st.resource(1000);
  st.block(one, many);
  wake_waiters(st.a(), elsewhere);
  CHECK(st.enabled(one));
  CHECK(st.s().waiting_for_any.empty());
}

TEST_CASE("a task can wait for as many resources as it can list, and only for those") {
  stage st(2);
  std::vector<resource_id> many;
  for (std::uint64_t i = 0; i < wait_capacity; ++i) many.push_back(st.resource(i));
  const auto elsewhere = st.resource(1000);
  st.block(one, many);
  wake_waiters(st.a(), elsewhere);
  CHECK_FALSE(st.enabled(one));
  wake_waiters(st.a(), many.back());
  CHECK(st.enabled(one));
}

TEST_CASE("waking the waiters of no resource wakes nobody") {
  stage st(1);
  st.block(one, {st.resource(1)});
  wake_waiters(st.a(), no_resource);
  CHECK_FALSE(st.enabled(one));
}

// Time.

TEST_CASE("when no task is enabled, time jumps to the earliest deadline") {
  stage st(2);
  constexpr auto hour = clock_start_ns + 3'600'000'000'000;
  st.block(one, {}, hour + 5);
  st.block(other, {st.resource(1)}, hour);
  CHECK(choose(st.a(), other, false) == other);
  CHECK(st.s().clock_ns == hour);
  CHECK(st.a()[other].cause == wake::timed_out);
  CHECK_FALSE(st.enabled(one));
  CHECK(st.a().resources[st.resource(1)].waiters.empty());
  st.block(other, {st.resource(1)});
  CHECK(choose(st.a(), other, false) == one);
  CHECK(st.s().clock_ns >= hour + 5);
  CHECK(st.s().clock_ns <= hour + 5 + step_duration_ns);
}

TEST_CASE("deadlines that come together wake together") {
  stage st(2);
  st.block(one, {}, clock_start_ns + 1'000'000);
  st.block(other, {}, clock_start_ns + 1'000'000);
  (void)choose(st.a(), one, false);
  CHECK(st.enabled(one));
  CHECK(st.enabled(other));
}

TEST_CASE("a deadline also comes while others run, at its time and not before") {
  stage st(2);
  st.block(one, {}, clock_start_ns + 3 * step_duration_ns);
  for (int step = 1; step <= 3; ++step) {
    CHECK_FALSE(st.enabled(one));
    CHECK(choose(st.a(), other, false) == other);
  }
  CHECK(st.enabled(one));
  CHECK(st.s().clock_ns == clock_start_ns + 3 * step_duration_ns);
}

TEST_CASE("a task that was woken in time is not timed out later") {
  stage st(2);
  const auto r = st.resource(1);
  st.block(one, {r}, clock_start_ns + 2 * step_duration_ns);
  wake_waiters(st.a(), r);
  for (int step = 0; step < 5; ++step) (void)choose(st.a(), other, false);
  CHECK(st.a()[one].cause == wake::retry);
}

// Limits.

TEST_CASE("too many steps without progress end the execution, any progress begins them anew") {
  stage st(1);
  st.a().config.progress_limit = 10;
  for (int i = 0; i < 11; ++i) REQUIRE(choose(st.a(), one, false) == one);
  SECTION("progress") {
    note_progress(st.a());
    CHECK(choose(st.a(), one, false) == one);
  }
  SECTION("none") {
    CHECK(choose(st.a(), one, false) == no_task);
    CHECK(st.s().how == ending::step_limit);
    CHECK(st.s().step == 11);
  }
}

TEST_CASE("too many steps in all end the execution, progress or not") {
  stage st(1);
  st.a().config.step_limit = 20;
  int steps = 0;
  while (choose(st.a(), one, false) == one) {
    note_progress(st.a());
    ++steps;
  }
  CHECK(steps == 21);
  CHECK(st.s().how == ending::step_limit);
}

TEST_CASE("an event takes the step and the time of its call, and a full log ends the execution") {
  stage st(1);
  (void)choose(st.a(), one, false);
  const auto* e = append_event(st.a(), one, operation::yield, resource_id{4}, outcome::completed);
  REQUIRE(e != nullptr);
  CHECK(e->step == 1);
  CHECK(e->clock_ns == st.s().clock_ns);
  CHECK(e->resource == resource_id{4});
  CHECK(e->op == operation::yield);
  while (st.a().log.add_event(st.a().nobody) != nullptr) continue;
  st.a()[one].writer = {};
  CHECK(append_event(st.a(), one, operation::yield, no_resource, outcome::completed) == nullptr);
  CHECK(st.s().how == ending::step_limit);
}

// The token.

TEST_CASE("a token that was handed over waits for its task, and is taken once") {
  stage st(2);
  pass_token(st.a(), no_task, other);
  CHECK(st.a()[one].token.load() == 0);
  CHECK(st.a()[other].token.load() == 1);
  wait_for_token(st.a(), other);
  CHECK(st.a()[other].token.load() == 0);
}

TEST_CASE("a task that hands the token to itself keeps it without sleeping") {
  stage st(1);
  pass_token(st.a(), one, one);
  CHECK(st.a()[one].token.load() == 0);
}

TEST_CASE("when nobody is next, the controller is called") {
  stage st(1);
  const int mail = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  REQUIRE(mail >= 0);
  place(st.a().controller, mail);
  pass_token(st.a(), no_task, no_task);
  std::uint64_t calls = 0;
  CHECK(read(mail, &calls, sizeof calls) == static_cast<ssize_t>(sizeof calls));
  CHECK(calls == 1);
  close(mail);
}

TEST_CASE("an arena that was reset is as good as new, and keeps its settings") {
  stage st(2);
  st.a().config.step_limit = 77;
  st.block(one, {st.resource(1)}, clock_start_ns + 5);
  (void)choose(st.a(), other, false);
  death(st.a(), other, 9);
  end_execution(st.a(), ending::spinning);
  st.a().reset();
  CHECK(st.a().config.step_limit == 77);
  CHECK(st.s().step == 0);
  CHECK(st.s().hash == 0);
  CHECK(st.s().clock_ns == clock_start_ns);
  CHECK(st.s().living == 0);
  CHECK_FALSE(st.s().ended.load());
  CHECK(st.s().enabled.empty());
  CHECK(st.a().log.event_count() == 0);
  CHECK(st.a().resources.size() == 0);
  CHECK(birth(st.a(), no_task, "again") == one);
  CHECK(st.a()[one].deadline_ns == no_deadline);
  CHECK(choose(st.a(), no_task, false) == one);
}

// What a schedule is made of.

TEST_CASE("a pick is recorded as usual, other or preemption") {
  stage st(3, {one, one, third, one});
  auto current = choose(st.a(), no_task, false);
  current = choose(st.a(), current, false);
  current = choose(st.a(), current, false);
  st.block(third, {});
  static_cast<void>(choose(st.a(), third, false));
  using enum pick_kind;
  CHECK(to_trace(st.a()).pick_kinds == std::vector{usual, usual, preemption, usual});
}

TEST_CASE("draws and chances are recorded at their step, but not those with one outcome") {
  stage st(2);
  st.a().strategy = strategy::replay(drawn);
  strategy::begin(st.a().strategy, 1);
  set_current_arena(&st.a());
  CHECK(draw(1) == 0);
  CHECK(draw(5) == 4);
  static_cast<void>(choose(st.a(), no_task, false));
  CHECK(draw(3) == 0);
  CHECK(chance(1'000));
  CHECK_FALSE(chance(0));
  set_current_arena(nullptr);
  CHECK(to_trace(st.a()).draws ==
        std::vector<draw_record>{{0, 0, 4, 5}, {1, 0, 0, 3}, {1, 1, 1, 2}});
  CHECK(schedule_of(to_trace(st.a())) == drawn);
}

// Spinners.

TEST_CASE("a spinner stands back while somebody else can go on, but looks now and then") {
  stage st(2, {other, other, one});
  st.s().step = 1;
  st.block(one, {});
  st.s().spinners.insert(one);
  CHECK(choose(st.a(), other, false) == other);
  CHECK_FALSE(st.enabled(one));
  st.s().step = 512;
  CHECK(choose(st.a(), other, false) == other);
  CHECK(st.enabled(one));
  CHECK(st.s().spinners.empty());
}

TEST_CASE("when nobody else can go on a spinner does, before time passes") {
  stage st(2);
  st.s().step = 1;
  const auto now = st.s().clock_ns;
  st.block(one, {});
  st.s().spinners.insert(one);
  st.block(other, {}, now + 1'000'000'000);
  CHECK(choose(st.a(), other, false) == one);
  CHECK(st.s().clock_ns < now + 1'000'000);
  CHECK_FALSE(st.enabled(other));
}

TEST_CASE("a change of what a spinner looks at lets it go on") {
  stage st(2);
  const auto flag = st.resource(1);
  st.block(one, {flag});
  st.s().spinners.insert(one);
  wake_waiters(st.a(), flag);
  CHECK(st.enabled(one));
  CHECK(st.s().spinners.empty());
}

}  // namespace

// Threads as the scheduler knows them. Nobody runs; the test plays the tasks.
#include <linux/futex.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "framework/execution/harvest.hpp"
#include "framework/execution/scheduler.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::execution;

// Two processes, of which the first has two further threads.
struct family {
  std::unique_ptr<arena, decltype(&unmap_arena)> memory{map_arena(), unmap_arena};
  arena& a = *memory;
  task_id main = birth(a, no_task, "main");
  task_id neighbour = birth(a, no_task, "neighbour");
  task_id first = thread_birth(a, main, "main/t1");
  task_id second = thread_birth(a, first, "main/t2");

  family() { strategy::begin(a.strategy, 1); }

  [[nodiscard]] trace harvested() const { return to_trace(*memory); }
};

TEST_CASE("a thread is of its creator's process, and a child is a process of its own") {
  family f;
  CHECK(f.a[f.second].parent == f.first);
  CHECK(f.a[f.second].process == f.main);
  CHECK(f.a.schedule.living == 4);
  const auto child = birth(f.a, f.second, "child");
  CHECK(f.a[child].parent == f.main);
  CHECK(f.a[child].process == child);
  CHECK(children_of(f.a, f.second) == children_of(f.a, f.main));
  CHECK(f.harvested().tasks[index(f.second)].thread_of == f.main);
  CHECK(f.harvested().tasks[index(child)].thread_of == no_task);
}

TEST_CASE("the end of a process ends all its threads, and the main one comes last") {
  family f;
  thread_death(f.a, f.first);
  death(f.a, f.main, 9);
  CHECK(f.a.schedule.living == 1);
  CHECK(f.a.schedule.enabled.size() == 1);
  const auto events = f.harvested().events;
  REQUIRE(events.size() == 2);
  CHECK(events[0].task == f.second);
  CHECK(events[1].task == f.main);
  CHECK(events[1].resource == no_resource);
  CHECK(f.a[f.first].wait_status == 0);
  CHECK(f.a[f.second].wait_status == 9);
}

TEST_CASE("the end of a thread leaves its process, and wakes what it may unblock") {
  family f;
  const auto lock =
      f.a.resources.find_or_add({resource_key::space::logical, 1, 0}, resource_kind::mutex);
  set_blocked(f.a, f.neighbour, {&lock, 1}, no_deadline, true);
  CHECK_FALSE(is_last_of_process(f.a, f.main));
  thread_death(f.a, f.first);
  CHECK(f.a.schedule.enabled.contains(f.neighbour));
  CHECK_FALSE(f.a.schedule.enabled.contains(f.first));
  thread_death(f.a, f.main);
  CHECK(is_last_of_process(f.a, f.second));
  CHECK(is_last_of_process(f.a, f.neighbour));
  CHECK(f.a.schedule.living == 2);
  CHECK_FALSE(f.a[f.main].process_ended);
}

TEST_CASE("a process whose main thread has ended dies with the last one") {
  family f;
  thread_death(f.a, f.main);
  thread_death(f.a, f.first);
  death(f.a, f.main, 0);
  CHECK(f.a.schedule.living == 1);
  CHECK(f.a[f.main].process_ended);
  const auto events = f.harvested().events;
  REQUIRE(events.size() == 2);
  CHECK(events[1].task == f.main);
}

TEST_CASE("a thread that ends hands its token on when it is gone, and not before") {
  family f;
  std::atomic<bool> passed{false};
  std::atomic<bool> may_end{false};
  std::thread ending([&] {
    pass_token_at_end(f.a, f.neighbour);
    passed = true;
    while (!may_end) std::this_thread::yield();
  });
  while (!passed) std::this_thread::yield();
  const auto promised = f.a[f.neighbour].token.load();
  CHECK(promised != 0);
  CHECK(promised != 1);
  CHECK((promised & FUTEX_OWNER_DIED) == 0);
  may_end = true;
  wait_for_token(f.a, f.neighbour);
  CHECK(f.a[f.neighbour].token.load() == 0);
  ending.join();
}

}  // namespace

// An execution without processes: the test plays the tasks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/execution/harvest.hpp"
#include "framework/execution/scheduler.hpp"
#include "tests/catch.hpp"

namespace forkloom::execution_test {

using namespace forkloom::execution;

// An arena with some newborn tasks and a schedule that is given. Without a schedule the task that
// was asked goes on, else the next one in turn.
class stage {
 public:
  explicit stage(std::size_t tasks, const std::vector<task_id>& picks = {},
                 std::vector<scheduled_draw> draws = {})
      : arena_(map_arena(), unmap_arena) {
    REQUIRE(arena_ != nullptr);
    schedule_.draws = std::move(draws);
    for (const auto pick : picks)
      schedule_.picks.push_back({static_cast<std::uint32_t>(schedule_.picks.size()), pick});
    a().strategy = strategy::replay(schedule_);
    strategy::begin(a().strategy, 1);
    for (std::size_t i = 0; i < tasks; ++i)
      REQUIRE(birth(a(), no_task, "task " + std::to_string(i)) == task_id(i));
  }

  [[nodiscard]] arena& a() { return *arena_; }
  [[nodiscard]] schedule_state& s() { return arena_->schedule; }

  resource_id resource(std::uint64_t number) {
    return a().resources.find_or_add({resource_key::space::logical, number, 0},
                                     resource_kind::semaphore);
  }
  void block(task_id task, std::vector<resource_id> on, std::uint64_t deadline = no_deadline,
             bool retryable = true) {
    set_blocked(a(), task, on, deadline, retryable);
  }
  [[nodiscard]] bool enabled(task_id task) { return s().enabled.contains(task); }
  [[nodiscard]] std::vector<event> events() const { return to_trace(*arena_).events; }
  [[nodiscard]] std::vector<task_id> picks() const { return to_trace(*arena_).schedule; }

 private:
  forkloom::schedule schedule_;
  std::unique_ptr<arena, decltype(&unmap_arena)> arena_;
};

inline constexpr task_id one{0};
inline constexpr task_id other{1};
inline constexpr task_id third{2};

}  // namespace forkloom::execution_test

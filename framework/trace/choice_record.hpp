// What could have been picked at a step, for strategies that explore all of it. Only executions of
// such strategies have these records, and only of programs of few tasks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "framework/trace/ids.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom {

// A set of tasks as one number: bit n is task n.
using task_mask = std::uint64_t;
inline constexpr std::size_t systematic_tasks_max = 64;

[[nodiscard]] constexpr task_mask only(task_id task) noexcept {
  return index(task) < systematic_tasks_max ? task_mask{1} << index(task) : 0;
}

struct choice_record {
  task_mask enabled = 0;
  task_mask expired = 0;               // those of them whose wait ended by its deadline
  resource_id resource = no_resource;  // what the picked task is about to do
  operation op = operation::none;
  task_id picked = no_task;
  bool yields = false;                 // the task of the step before does, to the others
  bool left_waiting_for_time = false;  // the task of the step before waits, with a deadline
};

}  // namespace forkloom

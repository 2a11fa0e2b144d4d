// What the steps of an execution touched, for explorers that must know which of them commute.
//
// Two steps commute unless they touch the same place and one of them changes it. What a step
// touched is read off its events. Where they do not tell enough (signals, time, programs, calls
// that concern many descriptors), the step touches everything: then all its orders with others are
// told apart, and none is missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "framework/trace/choice_record.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

enum class touch : std::uint8_t {
  looks,    // commutes with other looks
  closes,   // gives up an end of a pipe: commutes with other closings
  takes,    // takes out of a pipe what is there: whoever closes an end leaves that as it is
  changes,  // commutes with nothing
};

[[nodiscard]] constexpr bool conflict(touch a, touch b) noexcept {
  if (a == touch::changes || b == touch::changes) return true;
  if (a == touch::looks || b == touch::looks) return a != b;
  return a == b && a == touch::takes;
}

struct access {
  std::uint32_t place = 0;  // a number of this execution
  touch how = touch::looks;

  friend bool operator==(const access&, const access&) = default;
};

struct footprint {
  bool everything = false;
  std::vector<access> accesses = {};  // by place, one a place

  void add(std::uint32_t place, touch how);
};

[[nodiscard]] bool conflict(const footprint& a, const footprint& b) noexcept;

// A pick that let something happen, or, of a task that never came to it, the operation that it was
// about to do.
struct step {
  task_id task = no_task;
  std::size_t pick = 0;  // its number in the schedule
  operation op = operation::none;
  resource_id resource = no_resource;
  resource_id second = no_resource;  // the mutex of a wait at a condition variable, …
  footprint touched = {};
  // Nothing but what the announced operation was bound to touch at most.
  bool as_announced = true;
  bool failed = false;
  bool waits = false;      // it ended with a wait that others may notice
  bool expired = false;    // its wait was over because of its deadline
  task_id born = no_task;  // the task that it made
  std::vector<draw_record> draws = {};
};

struct step_list {
  // Without attempts that found that they had to wait and did nothing else: that the task is not
  // enabled is no step of it.
  std::vector<step> done;
  // By task: what each was about to do when the execution ended; without one for those that ended.
  std::vector<step> pending;
  // One that was done, or, from done.size() on, a pending one.
  [[nodiscard]] const step& at(std::size_t number) const {
    return number < done.size() ? done[number] : pending[number - done.size()];
  }

  // At a pick, what each task may touch at most with its next step from there on.
  [[nodiscard]] const footprint& announced(std::size_t pick, task_id task) const;

  std::vector<footprint> by_pick;               // of the picked task
  std::vector<std::vector<std::size_t>> picks;  // by task: the picks of it, in order
  std::vector<footprint> at_end;                // by task
};

// Requires that the trace has choices.
[[nodiscard]] step_list steps_of(const trace& what);

}  // namespace forkloom::explore

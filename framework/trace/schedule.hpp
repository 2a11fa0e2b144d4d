// A schedule as a value: where an execution departs from the usual course of things, and nothing
// else. Replay, mutation and shrinking share it.
//
// The usual course: the task that has the token goes on, unless it cannot or yields; then the first
// enabled task behind it in cyclic order goes. Every draw is 0. So a schedule without entries is an
// execution without preemptions and without faults, and each entry disturbs it once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/trace/ids.hpp"

namespace forkloom {

struct trace;

// How a pick stands to the usual one.
enum class pick_kind : std::uint8_t {
  usual,
  other,       // the running task could not go on, or yielded; not the next in turn went
  preemption,  // the running task could have gone on
};

// At that step (0 is the first pick) that task goes instead of the usual one.
struct scheduled_pick {
  std::uint32_t step = 0;
  task_id task = no_task;

  friend bool operator==(const scheduled_pick&, const scheduled_pick&) = default;
};

// Of the draws made when there had been `step` picks, the one of that number (from 0) gives `value`
// instead of 0. A draw that has one outcome only is not counted.
struct scheduled_draw {
  std::uint32_t step = 0;
  std::uint32_t nth = 0;
  std::uint32_t value = 0;

  friend bool operator==(const scheduled_draw&, const scheduled_draw&) = default;
};

struct schedule {
  std::vector<scheduled_pick> picks;  // by step, one a step
  std::vector<scheduled_draw> draws;  // by step and number; no value is 0

  friend bool operator==(const schedule&, const schedule&) = default;
};

// A schedule's steps are below this: an execution has no more.
inline constexpr std::uint32_t schedule_steps_max = 900'000;
inline constexpr std::size_t schedule_draws_max = std::size_t{1} << 20;
inline constexpr std::uint32_t schedule_tasks_max = 1'024;

// The one that gives this execution again.
[[nodiscard]] schedule schedule_of(const trace& what);

// Text of digits, lower-case letters and '_', one spelling a schedule:
//
//   12p1_3p0x4_0d2_5d1n3
//
// Entries in order, each with its distance in steps from the one before: after 12 steps task 1 is
// picked; 3 steps later task 0, four times in a row with that distance; at the same step a draw
// gives 2; 5 steps later draw number 3 gives 1. Draws stand before the pick that follows them. The
// schedule without entries is "".
[[nodiscard]] std::string to_text(const schedule& what);

// Throws usage_error that quotes the entry and says what is wrong with it.
[[nodiscard]] schedule schedule_from_text(std::string_view text);

}  // namespace forkloom

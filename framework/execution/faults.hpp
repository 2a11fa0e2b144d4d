// Faults while an execution runs: whether one may happen here, and whether it does. Which kinds may
// still happen is one word in the schedule's state, which is 0 if none is wanted: whoever asks
// looks at that first.
//
// Whether a fault happens where it may is drawn from the strategy. How likely that is differs from
// execution to execution and from kind to kind: once in 2, 8, 32, 128 or 512 chances, as the seed
// says. An execution may have five chances or five thousand, and nobody knows before: this way each
// place of either is met by a fair share of the executions, where a fixed rate would spend the
// bound at the first few places, or not at all.
//
// All functions require that the caller holds the token. Async-signal-safe: no allocation, no lock,
// no errno.
#pragma once

#include "framework/execution/arena.hpp"

namespace forkloom::execution::faults {

// A new execution begins: nothing has happened yet.
void begin(arena& a) noexcept;

// May one of these kinds still happen?
[[nodiscard]] inline bool possible(const arena& a, fault_set kinds) noexcept {
  return (a.schedule.faults & kinds) != 0;
}
[[nodiscard]] inline bool possible(const arena& a, fault_kind kind) noexcept {
  return possible(a, only(kind));
}

// A place where that kind may happen. Does it? Then it is spent, but for what the policy of
// time-outs does.
[[nodiscard]] bool happens(arena& a, fault_kind kind) noexcept;

// The event of a fault that happened to the task, in that operation, on that resource.
void tell(arena& a, task_id task, fault_kind kind, operation op, resource_id resource,
          std::uint64_t site) noexcept;

// The process of the calling task, which has the token, is killed. The controller sees it die, and
// picks who goes next.
[[noreturn]] void die() noexcept;

// The calling task's process stops, and goes on some time.
void stop(arena& a, task_id me) noexcept;

// At each choice: processes that were stopped may go on.
void let_stopped_go_on(arena& a) noexcept;

// Nobody can go on: one that was stopped does, unless time passes first. False if none did.
[[nodiscard]] bool wake_stopped(arena& a) noexcept;

// At each choice: does time pass until somebody's deadline although others can go on? That one's
// task and deadline; no_task if none's.
struct early_deadline {
  task_id task = no_task;  // no_task with a deadline: a timer's
  std::uint64_t deadline_ns = no_deadline;
};
[[nodiscard]] early_deadline draw_deadline(arena& a) noexcept;

}  // namespace forkloom::execution::faults

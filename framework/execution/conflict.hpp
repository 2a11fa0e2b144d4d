// Would it matter which of two pending operations goes first? What strategies that sample partial
// orders are told (strategy/pos.hpp).
//
// Said of what is known before they are carried out, so it is not exact. Two operations on one
// resource conflict if one of them changes it: so also whoever waits and whoever wakes it. Besides:
//   - a condition wait gives its mutex up, and asks for it again: which one, only the call knows;
//   - a signal may act on whatever its receiver does next, and on what its threads do;
//   - the end of a process gives up all that it holds, and lets others go on who wait for it.
// Time conflicts with nothing: each step moves it on by as much, whoever makes it.
#pragma once

#include "framework/trace/ids.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom::execution {

struct pending_step {
  operation op = operation::none;
  resource_id resource = no_resource;
  resource_kind kind = resource_kind::unknown;  // of the resource
  task_id process = no_task;                    // that takes the step
  task_id receiver = no_task;                   // of the signal that it sends: a process
};

namespace conflicts {

inline bool meet_at_resource(const pending_step& x, const pending_step& y) noexcept {
  return x.resource == y.resource && x.resource != no_resource &&
         (traits(x.op).changes || traits(y.op).changes);
}

inline bool gives_up_mutex(const pending_step& x, const pending_step& y) noexcept {
  return x.op == operation::cond_wait && y.kind == resource_kind::mutex;
}

inline bool acts_on(const pending_step& x, const pending_step& y) noexcept {
  return x.receiver != no_task && x.receiver == y.process;
}

// Locks, ends of pipes, semaphore adjustments: what does not lie in somebody's memory alone.
inline bool gives_up_what_is_used(const pending_step& x, const pending_step& y) noexcept {
  return x.op == operation::exit && y.resource != no_resource && y.kind != resource_kind::memory &&
         y.kind != resource_kind::logical && x.process != y.process;
}

}  // namespace conflicts

[[nodiscard]] inline bool conflict(const pending_step& x, const pending_step& y) noexcept {
  using namespace conflicts;
  return meet_at_resource(x, y) || gives_up_mutex(x, y) || gives_up_mutex(y, x) || acts_on(x, y) ||
         acts_on(y, x) || gives_up_what_is_used(x, y) || gives_up_what_is_used(y, x);
}

}  // namespace forkloom::execution

// The usual course of an execution, which schedules are told against (see trace/schedule.hpp): no
// preemption, and the tasks in turn.
#pragma once

#include "framework/strategy/choice.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom::strategy {

// The first enabled task behind `last` in cyclic order; `last` itself if no other one is enabled.
[[nodiscard]] inline task_id next_in_turn(const execution::task_set& enabled,
                                          task_id last) noexcept {
  const auto behind = enabled.next_after(last);
  return behind != no_task ? behind : enabled.next_after(no_task);
}

[[nodiscard]] inline bool can_go_on(const choice& c) noexcept {
  return c.enabled.contains(c.current) && !c.yields;
}

[[nodiscard]] inline task_id usual_pick(const choice& c) noexcept {
  return can_go_on(c) ? c.current : next_in_turn(c.enabled, c.current);
}

[[nodiscard]] inline pick_kind kind_of(const choice& c, task_id picked) noexcept {
  if (picked == usual_pick(c)) return pick_kind::usual;
  return can_go_on(c) ? pick_kind::preemption : pick_kind::other;
}

}  // namespace forkloom::strategy

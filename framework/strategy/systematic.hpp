// One path through the tree of all schedules: the picks and draws of a prefix, then on without
// preemptions, and with a record of what could have been picked instead at each step. Which path
// comes next is for an explorer to decide, who reads the record.
//
// Sleep sets (Godefroid, "Partial-order methods for the verification of concurrent systems", 1996):
// tasks may be said to be asleep at the last pick of the prefix, because what they are about to do
// has been explored from there. One wakes when something is done that may conflict with that; until
// then it is picked only if everybody else sleeps, too.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/dependence.hpp"
#include "framework/strategy/replay.hpp"
#include "framework/trace/choice_record.hpp"

namespace forkloom::strategy {

struct course {
  script prefix;
  std::uint64_t prefix_length = 0;  // in picks; the script may say less, as it tells deviations
  task_mask asleep = 0;             // at the last pick of the prefix
  // After the prefix, calls that may have to wait are tried as soon as they are announced: then it
  // is known whether they could have gone before what others did.
  bool tries_early = false;
};

class systematic {
 public:
  systematic() noexcept = default;
  explicit systematic(const course& what) noexcept : course_(what), prefix_(what.prefix) {}

  [[nodiscard]] script& follows() noexcept { return prefix_.follows(); }

  // Where to keep a record for each pick; nothing is recorded when there is no more room.
  void record_into(std::span<choice_record> room) noexcept { room_ = room; }
  [[nodiscard]] std::span<const choice_record> recorded() const noexcept {
    return room_.first(step_ < room_.size() ? step_ : room_.size());
  }

  void begin(std::uint64_t seed) noexcept {
    prefix_.begin(seed);
    step_ = 0;
    asleep_ = course_.asleep;
    last_ = {};
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    if (step_ >= course_.prefix_length) wake_after_last_step(c);
    const auto in_prefix = step_ < course_.prefix_length;
    const auto usual = prefix_.pick(c);
    const auto picked = in_prefix || (asleep_ == 0 && !course_.tries_early) ? usual : next_awake(c);
    if (step_ < room_.size()) record(room_[step_], c, picked);
    last_ = c.pending(picked);
    ++step_;
    return picked;
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return prefix_.draw(bound); }
  [[nodiscard]] bool chance(std::uint64_t one_in) noexcept { return prefix_.chance(one_in); }

 private:
  // An attempt that found that it must wait has done nothing.
  void wake_after_last_step(const choice& c) noexcept {
    if (asleep_ == 0 || step_ == 0) return;
    const bool ran = c.current != no_task;
    if (ran && !c.enabled.contains(c.current)) {
      const auto now = c.pending(c.current);
      if (now.op == last_.op && !now.timed && waits_unnoticed(now.op, now.kind)) return;
    }
    for (auto rest = asleep_; rest != 0; rest &= rest - 1) {
      const auto task = task_id(static_cast<std::uint16_t>(std::countr_zero(rest)));
      if (may_conflict(last_, c.pending(task))) asleep_ &= ~only(task);
    }
  }

  // Who goes on without need to ask others, as far as anybody is awake.
  [[nodiscard]] task_id next_awake(const choice& c) noexcept {
    auto awake = c.enabled;
    for (auto rest = asleep_; rest != 0; rest &= rest - 1)
      awake.erase(task_id(static_cast<std::uint16_t>(std::countr_zero(rest))));
    if (awake.size() > 1 && c.yields) awake.erase(c.current);
    if (awake.empty()) return usual_pick(c);
    if (course_.tries_early)
      if (const auto task = first_that_may_wait(awake, c); task != no_task) return task;
    return usual_pick({.enabled = awake, .current = c.current, .yields = c.yields});
  }

  // Sends wait only when there is no room, which is rare; and what they do lets others go on.
  static task_id first_that_may_wait(const execution::task_set& awake, const choice& c) noexcept {
    task_id found = no_task;
    awake.for_each([&](task_id task) {
      if (found != no_task) return;
      const auto next = c.pending(task);
      const bool sends = next.op == operation::mq_send || next.op == operation::msgsnd;
      if (!sends && waits_unnoticed(next.op, next.kind)) found = task;
    });
    return found;
  }

  void record(choice_record& to, const choice& c, task_id picked) const noexcept {
    const auto next = c.pending(picked);
    to = {.resource = next.resource, .op = next.op, .picked = picked};
    c.enabled.for_each([&](task_id task) {
      if (index(task) >= systematic_tasks_max) return;
      to.enabled |= only(task);
      if (c.pending(task).expired) to.expired |= only(task);
    });
    to.yields = c.yields;
    to.left_waiting_for_time =
        c.current != no_task && !c.enabled.contains(c.current) && c.pending(c.current).timed;
  }

  course course_;
  replay prefix_;
  std::span<choice_record> room_;
  std::uint64_t step_ = 0;
  task_mask asleep_ = 0;
  pending_operation last_;  // what the last picked task was about to do
};

}  // namespace forkloom::strategy

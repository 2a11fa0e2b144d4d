// The fair random walk: uniform, but no task is passed over for ever. One that has been enabled for
// B steps in a row without being picked goes next, the longest passed over first.
//
// So a task waits for at most B + n - 1 picks, n being the number of enabled tasks: n - 1 others
// may have become overdue before it. That makes a starvation or a livelock the program's own doing.
// Fairness in the sense of Musuvathi and Qadeer, "Fair stateless model checking", PLDI 2008, made
// quantitative: there no enabled task may be passed over for ever, here the bound is known.
#pragma once

#include <array>
#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/random_walk.hpp"

namespace forkloom::strategy {

class fair_walk {
 public:
  fair_walk() noexcept = default;

  // bound: B, at least 1.
  explicit fair_walk(std::uint32_t bound) noexcept : bound_(bound) {}

  void begin(std::uint64_t seed) noexcept {
    walk_.begin(seed);
    step_ = 0;
    enabled_before_.clear();
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    ++step_;
    auto picked = longest_passed_over(c.enabled);
    if (picked == no_task) picked = walk_.pick(c);
    enabled_before_ = c.enabled;
    enabled_before_.erase(picked);  // its wait begins anew
    return picked;
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return walk_.draw(bound); }

 private:
  // The overdue task that waits longest, the one with the lower number if two wait as long.
  [[nodiscard]] task_id longest_passed_over(const execution::task_set& enabled) noexcept {
    task_id longest = no_task;
    std::uint64_t since = step_ - bound_ + 1;
    if (step_ <= bound_) since = 0;
    enabled.for_each([&](task_id task) {
      auto& began = waits_since_[index(task)];
      if (!enabled_before_.contains(task)) began = step_;
      if (began < since) {
        longest = task;
        since = began;
      }
    });
    return longest;
  }

  std::uint32_t bound_ = 50;
  std::uint64_t step_ = 0;
  random_walk walk_;
  execution::task_set enabled_before_;  // those of the last step that were not picked

  // The first step of the stretch in which the task has been enabled and not picked. Stale for
  // tasks that are not in enabled_before_.
  std::array<std::uint64_t, execution::task_capacity> waits_since_{};
};

}  // namespace forkloom::strategy

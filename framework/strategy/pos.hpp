// Partial order sampling: Yuan, Yang, Gu, "Partial order aware concurrency sampling", CAV 2018.
//
// Each pending operation draws a random priority, and the highest goes next. When it is done, those
// that it conflicted with draw anew; all others keep theirs. So the order of operations that
// commute is drawn once and not again at every step, and the sampling is spread over partial orders
// instead of over their linear extensions: a random walk favours the partial orders that have many.
#pragma once

#include <array>
#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::strategy {

class pos {
 public:
  void begin(std::uint64_t seed) noexcept {
    random_ = generator(seed);
    step_ = 0;
    priority_ = {};
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    ++step_;
    // A task that yields says that its next operation is of no use before somebody else's.
    if (c.yields && c.current != no_task) priority_[index(c.current)] = lowest;
    const auto chosen = highest(c.enabled);
    forget(chosen);
    c.enabled.for_each([&](task_id task) {
      if (task != chosen && c.conflict(chosen, task)) forget(task);
    });
    return chosen;
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

 private:
  static constexpr std::uint64_t lowest = 1;

  [[nodiscard]] task_id highest(const execution::task_set& enabled) noexcept {
    task_id best = no_task;
    std::uint64_t best_priority = 0;
    enabled.for_each([&](task_id task) {
      auto& p = priority_[index(task)];
      if (p == 0) p = 2 + random_.below(~std::uint64_t{0} - 2);
      if (p > best_priority) {
        best = task;
        best_priority = p;
      }
    });
    return best;
  }

  void forget(task_id task) noexcept { priority_[index(task)] = 0; }

  std::uint64_t step_ = 0;
  generator random_;

  // Of each task's pending operation; 0: not drawn yet. A task that is not enabled keeps what its
  // operation drew: being blocked does not make it another operation.
  std::array<std::uint64_t, execution::task_capacity> priority_{};
};

}  // namespace forkloom::strategy

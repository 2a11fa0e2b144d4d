// Delay-bounded scheduling: Emmi, Qadeer, Rakamarić, "Delay-bounded scheduling", POPL 2011.
//
// A deterministic scheduler that never preempts (each task runs until it waits, yields or ends,
// then the next one in turn) is made to deviate at d steps, its delays: there the task that would
// run has to wait, and the next one in turn runs instead. Here the d steps are drawn from the k
// that an execution is estimated to have. Few delays show many bugs, and the number of schedules
// with d of them grows as k^d whatever the number of tasks: the search does not drown in tasks.
//
// As with PCT, an execution that has become much longer than estimated goes on as a fair walk.
#pragma once

#include <array>
#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/fair_walk.hpp"
#include "framework/strategy/pct.hpp"
#include "framework/strategy/random.hpp"
#include "framework/strategy/round_robin.hpp"

namespace forkloom::strategy {

inline constexpr std::uint32_t delays_max = 32;

class delay_bounded {
 public:
  delay_bounded() noexcept = default;

  // d: delays, 0 … delays_max. k: estimated steps of an execution, at least 1.
  delay_bounded(std::uint32_t d, std::uint32_t k) noexcept : d_(d), k_(k) {}

  void begin(std::uint64_t seed) noexcept {
    random_ = generator(seed);
    step_ = 0;
    for (std::uint32_t i = 0; i < d_; ++i)
      delays_[i] = 1 + static_cast<std::uint32_t>(random_.below(k_));
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    ++step_;
    const auto prefix = prefix_factor * k_;
    if (step_ == prefix + 1) suffix_.begin(random_.next());
    if (step_ > prefix) return suffix_.pick(c);
    const bool goes_on = c.enabled.contains(c.current) && !c.yields;
    auto chosen = goes_on ? c.current : next_in_turn(c.enabled, c.current);
    // Two delays that fall on one step pass over two tasks.
    for (std::uint32_t i = 0; i < d_; ++i)
      if (delays_[i] == step_) chosen = next_in_turn(c.enabled, chosen);
    return chosen;
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

 private:
  std::uint32_t d_ = 2;
  std::uint32_t k_ = 100;
  std::uint64_t step_ = 0;
  std::array<std::uint32_t, delays_max> delays_{};  // the first d, unordered
  generator random_;
  fair_walk suffix_;
};

}  // namespace forkloom::strategy

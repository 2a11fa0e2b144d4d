// Probabilistic concurrency testing: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized
// scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010. In its terms: n tasks, k
// steps, bug depth d; one execution finds a bug of depth d with probability at least 1 / (n
// k^(d-1)).
//
// Priorities alone are not fair: the highest task may spin for ever on what only a lower one can
// do. So the walk becomes the fair random one after `prefix_factor` times k steps, long after the
// last change point. The bound is not touched by that: it is for executions of at most k steps.
#pragma once

#include <array>
#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/fair_walk.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::strategy {

inline constexpr std::uint32_t pct_depth_max = 32;

// The estimate of k is the longest of a few executions; others are longer. One that is four times
// as long is one that does not end.
inline constexpr std::uint64_t prefix_factor = 4;

class pct {
 public:
  pct() noexcept = default;

  // d: bug depth, 1 … pct_depth_max. k: estimated steps of an execution, at least 1.
  pct(std::uint32_t d, std::uint32_t k) noexcept : d_(d), k_(k) {}

  void begin(std::uint64_t seed) noexcept;
  [[nodiscard]] task_id pick(const choice& c) noexcept;
  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

  [[nodiscard]] std::uint32_t depth() const noexcept { return d_; }
  [[nodiscard]] std::uint32_t estimated_steps() const noexcept { return k_; }

 private:
  [[nodiscard]] std::uint32_t priority(task_id task) noexcept;
  [[nodiscard]] task_id highest(const choice& c) noexcept;

  std::uint32_t d_ = 3;
  std::uint32_t k_ = 100;
  std::uint64_t step_ = 0;
  // Falls with each demotion of a yielding task, so the newest one lies below all others. It starts
  // below the d - 1 priorities that the change points hand out.
  std::uint32_t floor_ = 0;
  generator random_;

  // The first d - 1 entries are the change points k_1 … k_{d-1}, steps in [1, k], unordered.
  std::array<std::uint32_t, pct_depth_max> change_points_{};

  // 0: the task was not seen yet. Otherwise all are distinct: the paper permutes n numbers known in
  // advance; here tasks may appear later, so each draws 20 random bits made unique by its own id.
  std::array<std::uint32_t, execution::task_capacity> priority_{};

  fair_walk suffix_;
};

}  // namespace forkloom::strategy

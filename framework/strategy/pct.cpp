#include "framework/strategy/pct.hpp"

namespace forkloom::strategy {
namespace {

// Priorities, from low to high:
//   1 … change_base - 1           tasks that yielded, the latest the lowest
//   change_base + 1 … + d - 1     tasks lowered by a change point
//   initial_base …                initial ones
constexpr std::uint32_t change_base = 1U << 28;
constexpr std::uint32_t initial_base = 1U << 30;

}  // namespace

void pct::begin(std::uint64_t seed) noexcept {
  random_ = generator(seed);
  step_ = 0;
  floor_ = change_base;
  priority_ = {};
  for (std::uint32_t i = 0; i + 1 < d_; ++i)
    change_points_[i] = 1 + static_cast<std::uint32_t>(random_.below(k_));
}

std::uint32_t pct::priority(task_id task) noexcept {
  auto& p = priority_[index(task)];
  if (p == 0)
    p = initial_base + (static_cast<std::uint32_t>(random_.below(1U << 20)) << 10) +
        static_cast<std::uint32_t>(index(task));
  return p;
}

task_id pct::highest(const choice& c) noexcept {
  task_id best = no_task;
  std::uint32_t best_priority = 0;
  c.enabled.for_each([&](task_id task) {
    if (const auto p = priority(task); p > best_priority) {
      best = task;
      best_priority = p;
    }
  });
  return best;
}

task_id pct::pick(const choice& c) noexcept {
  ++step_;
  const auto prefix = prefix_factor * k_;
  if (step_ == prefix + 1) suffix_.begin(random_.next());
  if (step_ > prefix) return suffix_.pick(c);
  if (c.yields && c.current != no_task) priority_[index(c.current)] = --floor_;
  auto chosen = highest(c);
  // Algorithm 1 of the paper: when the i-th change point is reached, the task about to run gets
  // priority i, below every initial one, and the choice is made again.
  for (std::uint32_t i = 0; i + 1 < d_; ++i) {
    if (change_points_[i] != step_) continue;
    priority_[index(chosen)] = change_base + 1 + i;
    chosen = highest(c);
  }
  return chosen;
}

}  // namespace forkloom::strategy

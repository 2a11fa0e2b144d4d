// Selectively uniform random walk: Zhao, Wolff, Mathur, Roychoudhury, "Selectively uniform
// concurrency testing", ASPLOS 2025.
//
// A uniform choice at each step is far from a uniform choice of a schedule: a task with many steps
// left must win many draws before its last one comes. If each task is drawn with as many lots as it
// has steps left, all interleavings are equally likely. That pays off for a few operations that
// matter, called interesting (the paper's set Delta), not for all: so the order of the interesting
// ones is drawn in this way, and all others go in between at random.
//
// In the paper's terms: of the tasks one is intended to make the next interesting step. Until it
// has, no other makes one; whoever is about to do something else may go on. How many interesting
// steps each task has is an estimate from earlier executions. If it is wrong, schedules are drawn
// less evenly, but none is left out.
#pragma once

#include <array>
#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::strategy {

class surw {
 public:
  // The interesting operations: those about one thing, or all.
  static constexpr std::uint32_t everything = 0;

  // The tasks that have a number of steps of their own; the last number is for all further ones.
  static constexpr std::size_t counted_max = 64;
  using counts = std::array<std::uint16_t, counted_max>;

  surw() noexcept = default;

  // about: as choice::about has it, or everything. steps: how many of them each task makes.
  surw(std::uint32_t about, const counts& steps) noexcept : about_(about), steps_(steps) {}

  void begin(std::uint64_t seed) noexcept {
    random_ = generator(seed);
    left_ = steps_;
    intended_ = no_task;
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    // One that is blocked, or that cannot go on usefully, would keep all others from theirs.
    const bool gives_way = c.yields && c.enabled.contains(c.current) && c.enabled.size() > 1;
    if (gives_way && intended_ == c.current) intended_ = no_task;
    if (!c.enabled.contains(intended_)) intended_ = intend(c, gives_way);
    const auto picked = any_that_may(c, gives_way);
    if (is_interesting(c, picked)) {
      count_down(picked);
      intended_ = no_task;
    }
    return picked;
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

 private:
  [[nodiscard]] bool is_interesting(const choice& c, task_id task) const noexcept {
    return about_ == everything || c.about(task) == about_;
  }

  // The interesting steps that the task has left. At least the one that it is about to make, as an
  // estimate may be too low.
  [[nodiscard]] std::uint64_t lots(const choice& c, task_id task) const noexcept {
    const auto i = index(task);
    const std::uint64_t left = i + 1 < counted_max ? left_[i] : left_.back();
    return left == 0 && is_interesting(c, task) ? 1 : left;
  }

  [[nodiscard]] task_id intend(const choice& c, bool without_current) noexcept {
    auto tasks = c.enabled;
    if (without_current) tasks.erase(c.current);
    std::uint64_t all = 0;
    tasks.for_each([&](task_id task) { all += lots(c, task); });
    if (all == 0) return tasks.nth(random_.below(tasks.size()));
    auto lot = random_.below(all);
    task_id drawn = no_task;
    tasks.for_each([&](task_id task) {
      if (drawn != no_task) return;
      const auto own = lots(c, task);
      if (lot < own)
        drawn = task;
      else
        lot -= own;
    });
    return drawn;
  }

  // The intended one, or any that is about to do something else.
  [[nodiscard]] task_id any_that_may(const choice& c, bool without_current) noexcept {
    execution::task_set may;
    c.enabled.for_each([&](task_id task) {
      const bool left_out = without_current && task == c.current;
      if (!left_out && (task == intended_ || !is_interesting(c, task))) may.insert(task);
    });
    return may.nth(random_.below(may.size()));
  }

  // Further tasks keep their lots: nobody counts for each of them.
  void count_down(task_id task) noexcept {
    const auto i = index(task);
    if (i + 1 < counted_max && left_[i] > 0) --left_[i];
  }

  std::uint32_t about_ = everything;
  counts steps_{};
  counts left_{};
  task_id intended_ = no_task;  // once it has made its interesting step, nobody is
  generator random_;
};

}  // namespace forkloom::strategy

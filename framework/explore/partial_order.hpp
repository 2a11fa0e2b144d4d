// The happens-before order of an execution, and the pairs of its steps that race.
//
// Two executions that differ only in the order of steps that commute have the same happens-before
// order: they are one class (a Mazurkiewicz trace), and a scenario behaves in the same way in all
// of a class. Its vector clocks tell it apart from others, whatever the names of places are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/explore/steps.hpp"

namespace forkloom::explore {

// Two steps of different tasks that do not commute, that no other steps order, and of which the
// second could have gone first.
struct race {
  std::size_t first = 0;
  std::size_t second = 0;  // or steps.done.size() plus a task: what that was about to do at the end
};

class partial_order {
 public:
  // The steps and choices must outlive it. Races are looked for from that second step on.
  partial_order(const step_list& steps, std::span<const choice_record> choices,
                std::size_t races_from);

  // Does step a happen before step b, or is it b?
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept {
    return covers(clocks_[b], a);
  }

  [[nodiscard]] const std::vector<race>& races() const noexcept { return races_; }

  // How many steps of each task come before a step, itself included.
  [[nodiscard]] const std::vector<std::uint32_t>& clock_of(std::size_t step) const noexcept {
    return clocks_[step];
  }

  // The same for two steps before which the same happened.
  [[nodiscard]] std::uint64_t hash_of(std::size_t step) const noexcept { return hashes_[step]; }

  // The same for all executions of a class, and hardly ever for two of different ones: among n
  // classes with probability n^2 / 2^65.
  [[nodiscard]] std::uint64_t class_hash() const noexcept { return hash_; }

 private:
  using clock = std::vector<std::uint32_t>;  // by task: how many of its steps come before

  [[nodiscard]] bool covers(const clock& all, std::size_t step) const noexcept {
    return all[index(steps_.done[step].task)] >= ordinals_[step];
  }
  void take(std::size_t i);
  void join_wake_up(const step& what, clock& own);
  [[nodiscard]] std::size_t woken_at(const step& what) const;
  void join_earlier(const step& what, std::size_t number, std::size_t end, clock& own);
  [[nodiscard]] bool could_swap(std::size_t earlier, const step& later) const;
  void fold(const step& what, const clock& own);

  const step_list& steps_;
  std::span<const choice_record> choices_;
  std::size_t races_from_;
  std::vector<clock> clocks_;              // of each step
  std::vector<std::uint32_t> ordinals_;    // of each step among those of its task, from 1
  std::vector<clock> now_;                 // by task: the clock of its last step
  std::vector<std::ptrdiff_t> last_step_;  // by task; -1: none
  std::vector<race> races_;
  std::vector<std::uint64_t> hashes_;  // of each step
  std::uint64_t hash_ = 0;             // their sum
};

}  // namespace forkloom::explore

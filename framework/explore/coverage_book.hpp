// What all executions of a campaign together have shown, and what the last one added.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "framework/trace/coverage.hpp"

namespace forkloom::explore {

class coverage_book {
 public:
  struct gain {
    bool new_class = false;
    std::size_t orderings = 0;
    std::size_t lock_states = 0;
  };

  void add(const coverage& seen);

  // What the execution that was added last had that none had before.
  [[nodiscard]] const gain& last_gain() const noexcept { return last_; }

  [[nodiscard]] std::uint64_t executions() const noexcept { return executions_; }
  [[nodiscard]] std::uint64_t classes() const noexcept { return classes_.size(); }
  [[nodiscard]] std::uint64_t classes_seen_once() const noexcept { return once_; }
  [[nodiscard]] std::uint64_t classes_seen_twice() const noexcept { return twice_; }
  [[nodiscard]] std::uint64_t orderings() const noexcept { return orderings_.size(); }
  [[nodiscard]] std::uint64_t lock_states() const noexcept { return lock_states_.size(); }

  // How many executions there had been when the last new class or ordering was seen, it included.
  [[nodiscard]] std::uint64_t last_new() const noexcept { return last_new_; }

  // Nothing new for as many executions as it took to see all that was seen, and for at least
  // `patience_min`. A rule of thumb that needs no number from the user: what is so rare that it
  // does not show in the second half would take at least as long again to be met.
  [[nodiscard]] bool saturated() const noexcept;
  static constexpr std::uint64_t patience_min = 200;

 private:
  std::uint64_t executions_ = 0;
  std::uint64_t last_new_ = 0;
  std::uint64_t once_ = 0;
  std::uint64_t twice_ = 0;
  gain last_;
  std::unordered_map<std::uint64_t, std::uint64_t> classes_;  // how often each was seen
  std::unordered_set<std::uint64_t> orderings_;
  std::unordered_set<std::uint64_t> lock_states_;
};

}  // namespace forkloom::explore

// A set of tasks as a bit set: picking the k-th enabled task costs the same for 2 and for 1,024.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "framework/trace/ids.hpp"

namespace forkloom::execution {

inline constexpr std::size_t task_capacity = 1024;

class task_set {
 public:
  void insert(task_id task) noexcept { word(task) |= bit(task); }
  void erase(task_id task) noexcept { word(task) &= ~bit(task); }
  void clear() noexcept { words_ = {}; }

  task_set& operator|=(const task_set& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }

  // no_task is in no set.
  [[nodiscard]] bool contains(task_id task) const noexcept {
    return index(task) < task_capacity && (words_[index(task) / 64] & bit(task)) != 0;
  }

  [[nodiscard]] bool empty() const noexcept {
    std::uint64_t any = 0;
    for (const auto w : words_) any |= w;
    return any == 0;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t count = 0;
    for (const auto w : words_) count += static_cast<std::size_t>(std::popcount(w));
    return count;
  }

  // The k-th member in ascending order. Requires k < size().
  [[nodiscard]] task_id nth(std::size_t k) const noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      auto w = words_[i];
      const auto here = static_cast<std::size_t>(std::popcount(w));
      if (k >= here) {
        k -= here;
        continue;
      }
      for (; k > 0; --k) w &= w - 1;
      return task_id(i * 64 + static_cast<std::size_t>(std::countr_zero(w)));
    }
    return no_task;
  }

  // Calls visit(task) for every member in ascending order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (auto w = words_[i]; w != 0; w &= w - 1)
        visit(task_id(i * 64 + static_cast<std::size_t>(std::countr_zero(w))));
  }

  friend bool operator==(const task_set&, const task_set&) = default;

 private:
  [[nodiscard]] static constexpr std::uint64_t bit(task_id task) noexcept {
    return std::uint64_t{1} << (index(task) % 64);
  }
  [[nodiscard]] std::uint64_t& word(task_id task) noexcept { return words_[index(task) / 64]; }

  std::array<std::uint64_t, task_capacity / 64> words_{};
};

}  // namespace forkloom::execution

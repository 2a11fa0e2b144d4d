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
  void insert(task_id task) noexcept {
    auto& w = words_[index(task) / 64];
    size_ += (w & bit(task)) == 0 ? 1 : 0;
    w |= bit(task);
  }
  void erase(task_id task) noexcept {
    auto& w = words_[index(task) / 64];
    size_ -= (w & bit(task)) != 0 ? 1 : 0;
    w &= ~bit(task);
  }
  void clear() noexcept { *this = {}; }

  task_set& operator|=(const task_set& other) noexcept {
    if (other.empty()) return *this;
    size_ = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] |= other.words_[i];
      size_ += population(words_[i]);
    }
    return *this;
  }

  // no_task is in no set.
  [[nodiscard]] bool contains(task_id task) const noexcept {
    return index(task) < task_capacity && (words_[index(task) / 64] & bit(task)) != 0;
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // The k-th member in ascending order. Requires k < size().
  [[nodiscard]] task_id nth(std::size_t k) const noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      auto w = words_[i];
      const auto here = population(w);
      if (k >= here) {
        k -= here;
        continue;
      }
      for (; k > 0; --k) w &= w - 1;
      return task_id(i * 64 + static_cast<std::size_t>(std::countr_zero(w)));
    }
    return no_task;
  }

  // The lowest member above `task`, or the lowest of all for no_task; no_task if there is none.
  [[nodiscard]] task_id next_after(task_id task) const noexcept {
    const auto from = task == no_task ? 0 : index(task) + 1;
    auto mask = ~std::uint64_t{0} << (from % 64);
    for (auto i = from / 64; i < words_.size(); ++i, mask = ~std::uint64_t{0})
      if (const auto w = words_[i] & mask; w != 0)
        return task_id(i * 64 + static_cast<std::size_t>(std::countr_zero(w)));
    return no_task;
  }

  // Calls visit(task) for every member in ascending order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (empty()) return;
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (auto w = words_[i]; w != 0; w &= w - 1)
        visit(task_id(i * 64 + static_cast<std::size_t>(std::countr_zero(w))));
  }

  friend bool operator==(const task_set&, const task_set&) = default;

 private:
  [[nodiscard]] static constexpr std::uint64_t bit(task_id task) noexcept {
    return std::uint64_t{1} << (index(task) % 64);
  }

  // std::popcount is a call into the compiler's library, because the oldest x86-64 processors have
  // no such instruction. This sums up bits, pairs and nibbles side by side (Warren, Hacker's
  // Delight, 5-1).
  [[nodiscard]] static constexpr std::uint32_t population(std::uint64_t w) noexcept {
    w -= (w >> 1) & 0x5555'5555'5555'5555;
    w = (w & 0x3333'3333'3333'3333) + ((w >> 2) & 0x3333'3333'3333'3333);
    w = (w + (w >> 4)) & 0x0f0f'0f0f'0f0f'0f0f;
    return static_cast<std::uint32_t>((w * 0x0101'0101'0101'0101) >> 56);
  }

  std::uint32_t size_ = 0;  // the number of bits that are set
  std::array<std::uint64_t, task_capacity / 64> words_{};
};

}  // namespace forkloom::execution

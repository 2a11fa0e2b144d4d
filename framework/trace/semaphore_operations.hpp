// What one semop(2) asks of its set, as its event carries it in `before` and `after`: up to three
// operations of 32 bits each, the first in the low half of `before`. The high half of `after` tells
// what a single operation that takes has left, and whether it would wait; see the end.
//
//   bits 0-14   number of the semaphore + 1; 0: no operation; all ones: more than fit, or a number
//               that does not fit
//   bit 15      SEM_UNDO
//   bits 16-31  what is added to the value; 0 waits for zero
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "framework/trace/event.hpp"

namespace forkloom {

struct semaphore_operation {
  std::uint16_t number = 0;
  std::int16_t change = 0;
  bool undone = false;  // given back by the kernel when the task ends
};

class semaphore_operations {
 public:
  static constexpr std::size_t capacity = 3;

  constexpr semaphore_operations() noexcept = default;
  explicit constexpr semaphore_operations(const event& e) noexcept {
    for (std::size_t i = 0; i < capacity; ++i) {
      const auto packed = static_cast<std::uint32_t>((i < 2 ? e.before : e.after) >> (i % 2 * 32));
      if ((packed & number_mask) == 0) return;
      if ((packed & number_mask) == number_mask) {
        more_ = true;
        return;
      }
      operations_[size_++] = {static_cast<std::uint16_t>((packed & number_mask) - 1),
                              static_cast<std::int16_t>(packed >> 16), (packed & undo) != 0};
    }
  }

  constexpr void add(const semaphore_operation& one) noexcept {
    if (more_) return;
    more_ = one.number >= number_mask - 1 || size_ == capacity;
    if (!more_) operations_[size_++] = one;
  }

  [[nodiscard]] constexpr const semaphore_operation* begin() const noexcept {
    return operations_.data();
  }
  [[nodiscard]] constexpr const semaphore_operation* end() const noexcept {
    return operations_.data() + size_;
  }

  // There are others, of which nothing is known.
  [[nodiscard]] constexpr bool more() const noexcept { return more_; }

  // Is there an operation whose change fulfils it, or one of which nothing is known?
  template <class Predicate>
  [[nodiscard]] constexpr bool may(Predicate fulfils) const {
    return more_ ||
           std::any_of(begin(), end(), [&](const auto& one) { return fulfils(one.change); });
  }
  [[nodiscard]] constexpr bool may_be_undone() const {
    return more_ || std::any_of(begin(), end(), [](const auto& one) { return one.undone; });
  }

  [[nodiscard]] constexpr std::uint64_t before() const noexcept { return pair(0); }
  [[nodiscard]] constexpr std::uint64_t after() const noexcept { return packed(2); }

 private:
  static constexpr std::uint32_t number_mask = 0x7fff;
  static constexpr std::uint32_t undo = 0x8000;

  // What does not fit leaves its mark in the last slot that is free, or in place of the last one.
  [[nodiscard]] constexpr std::uint32_t packed(std::size_t i) const noexcept {
    const auto mark = size_ == capacity ? capacity - 1 : size_;
    if (more_ && i == mark) return number_mask;
    if (i >= size_) return 0;
    const auto& one = operations_[i];
    return (one.number + 1U) | (one.undone ? undo : 0) |
           static_cast<std::uint32_t>(static_cast<std::uint16_t>(one.change)) << 16;
  }
  [[nodiscard]] constexpr std::uint64_t pair(std::size_t first) const noexcept {
    return packed(first) | static_cast<std::uint64_t>(packed(first + 1)) << 32;
  }

  std::array<semaphore_operation, capacity> operations_{};
  std::size_t size_ = 0;
  bool more_ = false;
};

// What is left in a semaphore that a call has taken, as its event's `after` tells: 1 + the value,
// as 0 says that it is not known. Of System V semaphores in the high half.
inline constexpr unsigned left_in_set_shift = 32;

[[nodiscard]] constexpr std::uint64_t number_of_left(int value) noexcept {
  return value < 0 ? 0 : static_cast<std::uint64_t>(value) + 1;
}

// A semop(2) that would not wait for as long as it takes: IPC_NOWAIT, or a time-out.
inline constexpr std::uint64_t limited_semop = 1ULL << 63;

[[nodiscard]] constexpr bool is_limited_semop(const event& e) noexcept {
  return e.op == operation::semop && (e.after & limited_semop) != 0;
}

// Could others have taken it, too? No, where that is not known.
[[nodiscard]] constexpr bool leaves_some(const event& e) noexcept {
  switch (e.op) {
    case operation::sem_wait:
    case operation::sem_trywait:
      return e.after > 1;
    case operation::semop:
      return (e.after & ~limited_semop) >> left_in_set_shift > 1;
    default:
      return false;
  }
}

}  // namespace forkloom

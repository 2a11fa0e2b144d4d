// May memory that a caller names be read? Asked of the kernel, which says EFAULT if not, where
// touching it would end the program. Async-signal-safe; errno stays the caller's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "framework/execution/sys.hpp"

namespace forkloom::intercept {

// A signal mask is read before the kernel sees that nothing sensible shall be done with it.
[[nodiscard]] inline bool readable_word(std::uintptr_t place) noexcept {
  constexpr long no_way_to_set_a_mask = 99;
  constexpr long fault = -14;
  return execution::sys::call(SYS_rt_sigprocmask, no_way_to_set_a_mask, static_cast<long>(place), 0,
                              8) != fault;
}

[[nodiscard]] inline bool readable(const void* place, std::size_t size) noexcept {
  constexpr std::uintptr_t page = 4096;
  constexpr std::uintptr_t word = 8;
  const auto begin = reinterpret_cast<std::uintptr_t>(place);  // NOLINT: an address as a number
  const auto last = begin + size - word;
  if (size < word || last < begin) return size == 0;
  for (auto at = begin; at < last; at += page)
    if (!readable_word(at)) return false;
  return readable_word(last);
}

}  // namespace forkloom::intercept

// Deadlines of intercepted calls, in the arena's monotonic nanoseconds.
#pragma once

#include <algorithm>
#include <ctime>

#include "framework/execution/call.hpp"

namespace forkloom::intercept {

inline constexpr std::uint64_t ns_per_s = 1'000'000'000;

// Are the members of a timespec in the range that POSIX demands?
[[nodiscard]] inline bool valid(const timespec& t) noexcept {
  return t.tv_nsec >= 0 && t.tv_nsec < static_cast<long>(ns_per_s);
}

// An absolute time of that clock as a deadline. Times before the clock's start are in the past.
[[nodiscard]] inline std::uint64_t deadline_at(clockid_t clock, const timespec& when) noexcept {
  if (when.tv_sec < 0) return 0;
  constexpr std::uint64_t far = std::uint64_t{1} << 33;  // seconds; beyond it, nanoseconds overflow
  if (static_cast<std::uint64_t>(when.tv_sec) >= far) return execution::no_deadline - 1;
  const auto ns =
      static_cast<std::uint64_t>(when.tv_sec) * ns_per_s + static_cast<std::uint64_t>(when.tv_nsec);
  if (clock != CLOCK_REALTIME) return ns;
  return ns > execution::realtime_offset_ns ? ns - execution::realtime_offset_ns : 0;
}

// That long from now; what would overflow is as far as can be.
[[nodiscard]] inline std::uint64_t deadline_after(const timespec& duration) noexcept {
  const auto now = execution::now_ns();
  return std::min(deadline_at(CLOCK_MONOTONIC, duration), execution::no_deadline - 1 - now) + now;
}

// The same for the time-outs of those who wait for many descriptors: a null pointer or a negative
// number is for ever, and zero is no time at all.
[[nodiscard]] inline std::uint64_t deadline_in(int milliseconds) noexcept {
  if (milliseconds < 0) return execution::no_deadline;
  if (milliseconds == 0) return 0;
  return deadline_after({milliseconds / 1000, milliseconds % 1000 * 1'000'000L});
}

[[nodiscard]] inline std::uint64_t deadline_in(const timespec* duration) noexcept {
  if (duration == nullptr) return execution::no_deadline;
  if (duration->tv_sec == 0 && duration->tv_nsec == 0) return 0;
  return deadline_after(*duration);
}

}  // namespace forkloom::intercept

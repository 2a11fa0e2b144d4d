// Who waits for which futex, in the arena: nobody ever waits in the kernel. For futex.cpp and
// futex_waitv.cpp. Async-signal-safe.
#pragma once

#include <cstdint>
#include <span>

#include "framework/execution/call.hpp"

namespace forkloom::intercept::futexes {

inline constexpr std::uint32_t any_bit = ~std::uint32_t{0};

// Does the word have that value? 0, EAGAIN, or why it cannot be looked at.
[[nodiscard]] int compare(long address, std::uint32_t value, bool is_private) noexcept;

// The word; 0 if it is not there.
[[nodiscard]] std::uint32_t load(long address) noexcept;

// A time-out that a call may have. error: why the kernel refuses it, or 0.
struct time_limit {
  std::uint64_t deadline = execution::no_deadline;
  int error = 0;
};
enum class counted : std::uint8_t { from_now, by_monotonic_clock, by_real_clock };
[[nodiscard]] time_limit limit_at(long pointer, counted how) noexcept;

// Whether a wait also ends, with somebody_died, when any task dies.
enum class deaths : bool { of_no_concern, end_it };
inline constexpr long somebody_died = -1000;
inline constexpr long restarted = -1001;

// Waits until a waker of one of these futexes chooses this task. Which of them, also if the wait
// was moved to another futex meanwhile; 0 after a spurious wake-up; -ETIMEDOUT; -EINTR; restarted,
// if a handler with SA_RESTART has run; or somebody_died.
[[nodiscard]] long wait_until_chosen(execution::controlled_call& call,
                                     std::span<const resource_id> places, std::uint32_t bits,
                                     std::uint64_t deadline, deaths whether) noexcept;

// Lets up to that many waiters that have one of the bits go on. How many there were.
[[nodiscard]] long wake_some(resource_id place, std::uint64_t most, std::uint32_t bits) noexcept;

// Lets up to that many waiters of one futex wait for another one. How many there were.
[[nodiscard]] long move_some(resource_id from, resource_id to, std::uint64_t most) noexcept;

// Writes the event of a call that returns that, or failed with a negative error number.
[[nodiscard]] long told(execution::controlled_call& call, long result) noexcept;

}  // namespace forkloom::intercept::futexes

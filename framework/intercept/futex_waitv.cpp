// futex_waitv(2): waiting for any of several futexes (Linux 5.16).
//
// Resource: the futexes, by their places; the first one stands for the call.
// Blocks: while all words have their expected values, until a waker of one of them chooses the
// waiter. More of them than a task can list are not under control, which is noted.
// Releases: nothing. Async-signal-safe: nothing is allocated, no lock is taken.
#include <linux/futex.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "framework/execution/identity.hpp"
#include "framework/intercept/futex_waiters.hpp"
#include "framework/intercept/raw.hpp"
#include "framework/intercept/user_memory.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled_call;
using execution::wait_capacity;
using namespace futexes;  // NOLINT: what this file is made of

bool is_private(const ::futex_waitv& one) noexcept { return (one.flags & FUTEX_PRIVATE_FLAG) != 0; }

// The kernel's own judgement of the arguments, without waiting: the time-out is long past.
long judge(const system_call& call) noexcept {
  const timespec past{.tv_sec = 0, .tv_nsec = 1};
  auto attempt = call;
  attempt.arguments[3] = execution::sys::address(&past);
  attempt.arguments[4] = CLOCK_MONOTONIC;
  return execution::perform(attempt);
}

long wait_for_any(const system_call& call, std::span<const ::futex_waitv> wanted,
                  const time_limit& limit) noexcept {
  std::array<resource_id, wait_capacity> places{};
  for (std::size_t i = 0; i < wanted.size(); ++i)
    places[i] = execution::futex_at(reinterpret_cast<const void*>(wanted[i].uaddr),  // NOLINT
                                    is_private(wanted[i]));
  controlled_call waiting{operation::futex_wait, places[0], call.site};
  for (;;) {
    if (const auto result = judge(call); result != -ETIMEDOUT) return told(waiting, result);
    const auto result = wait_until_chosen(waiting, {places.data(), wanted.size()}, any_bit,
                                          limit.deadline, deaths::of_no_concern);
    // Its time-out is a time, so the kernel restarts it with one, too.
    if (result != restarted && result != somebody_died) return told(waiting, result);
  }
}

}  // namespace

long futex_waitv(const system_call& call) noexcept {
  const auto count = static_cast<std::size_t>(call.arguments[1]);
  const auto clock = call.arguments[4];
  std::array<::futex_waitv, wait_capacity> wanted{};
  if (count > wanted.size()) execution::note_uncontrolled("futex_waitv", call.site);
  if (count == 0 || count > wanted.size() || call.arguments[0] == 0)
    return execution::perform(call);
  const bool clock_matters = call.arguments[3] != 0;
  if (clock_matters && clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
    return execution::perform(call);  // EINVAL
  const auto limit =
      limit_at(call.arguments[3],
               clock == CLOCK_REALTIME ? counted::by_real_clock : counted::by_monotonic_clock);
  if (limit.error != 0) return -limit.error;
  if (!copy_from_user(wanted.data(), call.arguments[0], count * sizeof wanted[0])) return -EFAULT;
  return wait_for_any(call, {wanted.data(), count}, limit);
}

}  // namespace forkloom::intercept

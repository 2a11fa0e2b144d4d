// futex(2): std::atomic::wait, locks that programs write themselves, and libc's own where they are
// contended.
//
// Resource: the futex, by its place; a private one belongs to its process.
// Blocks: the waits, while the word has the expected value, until a waker chooses the waiter; a
// priority-inheriting lock, until a real attempt to take it succeeds.
// Releases: wake, requeue and wake_op, which say how many they woke. An unlock wakes all that wait
// for the lock. A death wakes a waiter only if the kernel, which tidies up robust lists, has marked
// the word.
//
// The kernel is still asked each time, for errors, for its part in changing words, and for waiters
// that are not under control.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <linux/futex.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "framework/execution/identity.hpp"
#include "framework/intercept/futex_waiters.hpp"
#include "framework/intercept/raw.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled_call;
using execution::wake;
using namespace futexes;  // NOLINT: what this file is made of

// The arguments of futex(2). The fourth is a time-out or a second number.
struct request {
  explicit request(const system_call& call) noexcept : raw(call) {}

  const system_call& raw;

  [[nodiscard]] long operation_flags() const noexcept { return raw.arguments[1]; }
  [[nodiscard]] int command() const noexcept {
    return static_cast<int>(operation_flags()) & FUTEX_CMD_MASK;
  }
  [[nodiscard]] bool is_private() const noexcept {
    return (operation_flags() & FUTEX_PRIVATE_FLAG) != 0;
  }
  [[nodiscard]] std::uint32_t value() const noexcept { return to_word(raw.arguments[2]); }
  [[nodiscard]] std::uint32_t value3() const noexcept { return to_word(raw.arguments[5]); }
  [[nodiscard]] long timeout() const noexcept { return raw.arguments[3]; }

  [[nodiscard]] resource_id first() const noexcept { return place(raw.arguments[0]); }
  [[nodiscard]] resource_id second() const noexcept { return place(raw.arguments[4]); }

  static std::uint32_t to_word(long argument) noexcept {
    return static_cast<std::uint32_t>(argument);
  }

 private:
  [[nodiscard]] resource_id place(long address) const noexcept {
    // NOLINTNEXTLINE: arguments are numbers
    return execution::futex_at(reinterpret_cast<const void*>(address), is_private());
  }
};

// A word that may be on the robust list of its owner: when that one dies, the kernel marks it and
// wakes a waiter.
deaths concern_of(std::uint32_t word) noexcept {
  const bool is_waited_for = (word & FUTEX_WAITERS) != 0 && (word & FUTEX_TID_MASK) != 0;
  return is_waited_for ? deaths::end_it : deaths::of_no_concern;
}

long wait(const request& r, std::uint32_t bits, time_limit limit) noexcept {
  controlled_call call{operation::futex_wait, r.first(), r.raw.site};
  call.asks(r.value(), bits);
  if (limit.error == 0 && bits == 0) limit.error = EINVAL;
  if (limit.error != 0) return told(call, -limit.error);
  const auto address = r.raw.arguments[0];
  if (const auto error = compare(address, r.value(), r.is_private()); error != 0)
    return told(call, -error);
  const auto place = call.resource();
  for (;;) {
    const auto result =
        wait_until_chosen(call, {&place, 1}, bits, limit.deadline, concern_of(r.value()));
    if (result == somebody_died && load(address) == r.value()) continue;
    if (result != restarted) return told(call, result == somebody_died ? 0 : result);
    // The kernel restarts a wait without a time-out only, and then compares again.
    if (limit.deadline != execution::no_deadline) return told(call, -EINTR);
    if (const auto error = compare(address, r.value(), r.is_private()); error != 0)
      return told(call, -error);
  }
}

// A count of the kernel's: it wakes one where nobody is asked for, as it looks after it woke.
std::uint64_t at_least_one(long count) noexcept {
  return static_cast<std::uint64_t>(std::max(static_cast<int>(count), 1));
}

// A wake that finds nobody is no progress.
long woke(controlled_call& call, long count) noexcept {
  return count == 0 ? call.completed_unchanged(count) : call.completed_without_waking(count);
}

long wake_up(const request& r, std::uint32_t bits) noexcept {
  controlled_call call{operation::futex_wake, r.first(), r.raw.site};
  call.asks(r.value(), bits);
  const auto others = execution::perform(r.raw);
  if (others < 0) return told(call, others);
  const auto most = at_least_one(r.raw.arguments[2]) - static_cast<std::uint64_t>(others);
  return woke(call, others + wake_some(call.resource(), most, bits));
}

// The real call compares, and refuses what is wrong. It moves no waiter that is under control.
long requeue(const request& r) noexcept {
  controlled_call call{operation::futex_wake, r.first(), r.raw.site};
  call.involve(r.second());
  call.asks(r.value(), static_cast<std::uint64_t>(r.timeout()));
  const auto others = execution::perform(r.raw);
  if (others < 0) return told(call, others);
  auto count = others + wake_some(call.resource(), r.value(), any_bit);
  count += move_some(call.resource(), r.second(), request::to_word(r.timeout()));
  return woke(call, count);
}

// futex(2), FUTEX_WAKE_OP: four bits of comparison, twelve bits of what to compare with.
bool comparison_holds(std::uint32_t encoded, std::uint32_t old_word) noexcept {
  const auto old = static_cast<std::int32_t>(old_word);
  const auto with = static_cast<std::int32_t>(encoded << 20) >> 20;
  switch (encoded >> 24 & 0xf) {
    case FUTEX_OP_CMP_EQ:
      return old == with;
    case FUTEX_OP_CMP_NE:
      return old != with;
    case FUTEX_OP_CMP_LT:
      return old < with;
    case FUTEX_OP_CMP_LE:
      return old <= with;
    case FUTEX_OP_CMP_GT:
      return old > with;
    default:
      return old >= with;
  }
}

// The kernel changes the second word; whether its old value meets the condition is found out
// before, as nobody else runs.
long wake_and_change(const request& r) noexcept {
  controlled_call call{operation::futex_wake, r.first(), r.raw.site};
  call.involve(r.second());
  const auto old = load(r.raw.arguments[4]);
  auto woken = execution::perform(r.raw);
  if (woken < 0) return told(call, woken);
  woken += wake_some(call.resource(), at_least_one(r.raw.arguments[2]), any_bit);
  if (comparison_holds(r.value3(), old))
    woken += wake_some(r.second(), at_least_one(r.timeout()), any_bit);
  return woke(call, woken);
}

// The owner's unlock comes to the kernel only if the word says that somebody waits.
void say_that_somebody_waits(long address) noexcept {
  auto& word = *reinterpret_cast<std::uint32_t*>(address);  // NOLINT: the kernel has just read it
  if ((word & FUTEX_TID_MASK) != 0) __atomic_fetch_or(&word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
}

long lock_with_priority(const request& r, time_limit limit) noexcept {
  controlled_call call{operation::futex_wait, r.first(), r.raw.site};
  if (limit.error != 0) return told(call, -limit.error);
  auto attempt = r.raw;
  attempt.arguments[1] = FUTEX_TRYLOCK_PI | (r.is_private() ? FUTEX_PRIVATE_FLAG : 0);
  for (;;) {
    const auto result = execution::perform(attempt);
    if (result != -EWOULDBLOCK) return told(call, result);
    say_that_somebody_waits(r.raw.arguments[0]);
    if (call.block(limit.deadline) == wake::timed_out) return told(call, -ETIMEDOUT);
  }
}

long unlock_with_priority(const request& r) noexcept {
  controlled_call call{operation::futex_wake, r.first(), r.raw.site};
  const auto result = execution::perform(r.raw);
  if (result < 0) return told(call, result);
  return call.completed(result);  // completing wakes every waiter
}

long pass(const request& r, const char* name) noexcept {
  execution::note_uncontrolled(name, r.raw.site);
  return execution::perform(r.raw);
}

counted clock_of(const request& r) noexcept {
  return (r.operation_flags() & FUTEX_CLOCK_REALTIME) != 0 ? counted::by_real_clock
                                                           : counted::by_monotonic_clock;
}

bool takes_real_clock(int command) noexcept {
  return command == FUTEX_WAIT_BITSET || command == FUTEX_WAIT_REQUEUE_PI ||
         command == FUTEX_LOCK_PI2;
}

}  // namespace

long futex(const system_call& call) noexcept {
  const request r(call);
  if (clock_of(r) == counted::by_real_clock && !takes_real_clock(r.command()))
    return execution::perform(call);  // ENOSYS
  switch (r.command()) {
    case FUTEX_WAIT:
      return wait(r, any_bit, limit_at(r.timeout(), counted::from_now));
    case FUTEX_WAIT_BITSET:
      return wait(r, r.value3(), limit_at(r.timeout(), clock_of(r)));
    case FUTEX_WAKE:
      return wake_up(r, any_bit);
    case FUTEX_WAKE_BITSET:
      return wake_up(r, r.value3());
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
      return requeue(r);
    case FUTEX_WAKE_OP:
      return wake_and_change(r);
    case FUTEX_LOCK_PI:
      return lock_with_priority(r, limit_at(r.timeout(), counted::by_real_clock));
    case FUTEX_LOCK_PI2:
      return lock_with_priority(r, limit_at(r.timeout(), clock_of(r)));
    case FUTEX_UNLOCK_PI:
      return unlock_with_priority(r);
    case FUTEX_WAIT_REQUEUE_PI:
      return pass(r, "FUTEX_WAIT_REQUEUE_PI");
    case FUTEX_CMP_REQUEUE_PI:
      return pass(r, "FUTEX_CMP_REQUEUE_PI");
    default:
      return execution::perform(call);  // a trylock, or what the kernel does not know either
  }
}

}  // namespace forkloom::intercept

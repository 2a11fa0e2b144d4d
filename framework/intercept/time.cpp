// Clocks and sleeping, in virtual time.
//
// Resource: none.
// Blocks: a sleep, until its deadline, or until a handler of a signal has run.
// Releases: nothing. Every clock reads the arena's: monotonic ones (those of processor time too)
// from the start of the execution's clock, the real-time ones with their fixed offset.
// Async-signal-safe.
#include <sched.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/sys.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/sanitizer_runtime.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;
using execution::wake;

constinit next<decltype(::sched_yield)> real_sched_yield{"sched_yield"};
constinit next<decltype(::nanosleep)> real_nanosleep{"nanosleep"};
constinit next<decltype(::clock_nanosleep)> real_clock_nanosleep{"clock_nanosleep"};
constinit next<decltype(::usleep)> real_usleep{"usleep"};
constinit next<decltype(::sleep)> real_sleep{"sleep"};
constinit next<decltype(::clock_gettime)> real_clock_gettime{"clock_gettime"};
constinit next<decltype(::gettimeofday)> real_gettimeofday{"gettimeofday"};
constinit next<decltype(::time)> real_time{"time"};
constinit next<decltype(::timespec_get)> real_timespec_get{"timespec_get"};

constexpr std::uint64_t ns_per_us = 1'000;

timespec to_timespec(std::uint64_t ns) noexcept {
  return {.tv_sec = static_cast<time_t>(ns / ns_per_s),
          .tv_nsec = static_cast<long>(ns % ns_per_s)};
}

std::uint64_t realtime_ns() noexcept { return execution::now_ns() + execution::realtime_offset_ns; }

// TAI is ahead of real time by what the host was told, which is nothing unless it runs NTP.
bool counts_real_time(clockid_t clock) noexcept {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
         clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

// The error of sleeping on that clock, 0 if it can be done: the kernel knows, and a sleep until the
// clock's beginning is over at once.
int judge_sleep(clockid_t clock) noexcept {
  if (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) return 0;
  if (clock == CLOCK_THREAD_CPUTIME_ID) return EINVAL;
  const timespec beginning{};
  return static_cast<int>(
      -sys::call(SYS_clock_nanosleep, clock, TIMER_ABSTIME, sys::address(&beginning), 0));
}

// False if a handler has interrupted it, which no flag prevents.
bool slept_until(controlled_call& call, std::uint64_t deadline) noexcept {
  for (;;) {
    const auto cause = call.block_on({}, deadline, false);
    if (cause == wake::timed_out) return true;
    if (cause != wake::retry) return false;
  }
}

timespec time_until(std::uint64_t deadline) noexcept {
  const auto now = execution::now_ns();
  return to_timespec(deadline > now ? deadline - now : 0);
}

int sleep_for(const timespec& duration, timespec* remaining, const void* site) noexcept {
  controlled_call call{operation::sleep, no_resource, site};
  if (!valid(duration) || duration.tv_sec < 0) return call.failed(EINVAL);
  const auto deadline = deadline_after(duration);
  if (slept_until(call, deadline)) return call.completed(0);
  if (remaining != nullptr) *remaining = time_until(deadline);
  return call.failed(EINTR);
}

// The scheduling point of a look at the clock; what it shows is read afterwards.
void look_at_clock(const void* site) noexcept {
  controlled_call call{operation::clock_read, no_resource, site};
  call.completed(0);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const auto* site = __builtin_return_address(0);
  if (!controlled() || sanitizers_own_call(site)) return real_clock_gettime(clock, now);
  controlled_call call{operation::clock_read, no_resource, site};
  timespec real{};
  if (const auto result = sys::call(SYS_clock_gettime, clock, sys::address(&real)); result < 0)
    return call.failed(static_cast<int>(-result));
  *now = to_timespec(counts_real_time(clock) ? realtime_ns() : execution::now_ns());
  return call.completed(0);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* when, timespec* remaining) {
  if (!controlled()) return real_clock_nanosleep(clock, flags, when, remaining);
  controlled_call call{operation::sleep, no_resource, __builtin_return_address(0)};
  if (const auto error = judge_sleep(clock); error != 0) return call.failed_with(error);
  if (!valid(*when) || when->tv_sec < 0) return call.failed_with(EINVAL);
  const auto base = counts_real_time(clock) ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  const bool absolute = (flags & TIMER_ABSTIME) != 0;
  const auto deadline = absolute ? deadline_at(base, *when) : deadline_after(*when);
  if (slept_until(call, deadline)) return call.completed(0);
  if (!absolute && remaining != nullptr) *remaining = time_until(deadline);
  return call.failed_with(EINTR);
}

int gettimeofday(timeval* __restrict now, void* __restrict zone) noexcept {
  if (!controlled()) return real_gettimeofday(now, zone);
  look_at_clock(__builtin_return_address(0));
  const auto us = realtime_ns() / ns_per_us;
  *now = {.tv_sec = static_cast<time_t>(us / 1'000'000),
          .tv_usec = static_cast<suseconds_t>(us % 1'000'000)};
  if (zone != nullptr) *static_cast<struct timezone*>(zone) = {};
  return 0;
}

int nanosleep(const timespec* duration, timespec* remaining) {
  if (!controlled()) return real_nanosleep(duration, remaining);
  return sleep_for(*duration, remaining, __builtin_return_address(0));
}

int sched_yield() noexcept {
  if (!controlled()) return real_sched_yield();
  controlled_call call{operation::yield, no_resource, __builtin_return_address(0)};
  return call.completed(0);
}

unsigned sleep(unsigned seconds) {
  if (!controlled()) return real_sleep(seconds);
  timespec remaining{};
  sleep_for({.tv_sec = static_cast<time_t>(seconds), .tv_nsec = 0}, &remaining,
            __builtin_return_address(0));
  return static_cast<unsigned>(remaining.tv_sec);
}

time_t time(time_t* now) noexcept {
  if (!controlled()) return real_time(now);
  look_at_clock(__builtin_return_address(0));
  const auto seconds = static_cast<time_t>(realtime_ns() / ns_per_s);
  if (now != nullptr) *now = seconds;
  return seconds;
}

int timespec_get(timespec* now, int base) noexcept {
  if (!controlled()) return real_timespec_get(now, base);
  look_at_clock(__builtin_return_address(0));
  if (base != TIME_UTC) return 0;
  *now = to_timespec(realtime_ns());
  return base;
}

int usleep(useconds_t us) {
  if (!controlled()) return real_usleep(us);
  return sleep_for(to_timespec(us * ns_per_us), nullptr, __builtin_return_address(0));
}

}  // extern "C"

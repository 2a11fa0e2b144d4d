// Timers that end in a signal: alarm, ualarm, setitimer, getitimer, timer_create and its kin.
//
// Resource: the signal of the process that the timer sends.
// Blocks: nothing. Releases: as that signal does, when the virtual clock comes to the time.
// The kernel gives each POSIX timer its number and judges its arguments, but never runs it. Timers
// of processor time, and those that start threads, run in the kernel and are noted as uncontrolled.
// Async-signal-safe.
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/timers.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/process.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace signals = execution::signals;
namespace timers = execution::timers;
using execution::arena;
using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::timer;

constinit next<decltype(::alarm)> real_alarm{"alarm"};
constinit next<decltype(::ualarm)> real_ualarm{"ualarm"};
constinit next<int(int, const itimerval*, itimerval*)> real_setitimer{"setitimer"};
constinit next<int(int, itimerval*)> real_getitimer{"getitimer"};
constinit next<int(clockid_t, sigevent*, timer_t*)> real_timer_create{"timer_create"};
constinit next<decltype(::timer_delete)> real_timer_delete{"timer_delete"};
constinit next<decltype(::timer_settime)> real_timer_settime{"timer_settime"};
constinit next<decltype(::timer_gettime)> real_timer_gettime{"timer_gettime"};
constinit next<decltype(::timer_getoverrun)> real_timer_getoverrun{"timer_getoverrun"};

constexpr std::uint64_t us_per_s = 1'000'000;
constexpr std::uint64_t ns_per_us = 1'000;

arena& this_arena() noexcept { return *execution::current_arena(); }
task_id own_process() noexcept { return signals::process_of(this_arena(), execution::self()); }

bool valid(const timeval& t) noexcept {
  return t.tv_sec >= 0 && t.tv_usec >= 0 && t.tv_usec < static_cast<suseconds_t>(us_per_s);
}

std::uint64_t to_ns(const timeval& t) noexcept {
  return deadline_at(CLOCK_MONOTONIC, {t.tv_sec, t.tv_usec * static_cast<long>(ns_per_us)});
}

timeval to_timeval(std::uint64_t ns) noexcept {
  const auto us = (ns + ns_per_us - 1) / ns_per_us;
  return {.tv_sec = static_cast<time_t>(us / us_per_s),
          .tv_usec = static_cast<suseconds_t>(us % us_per_s)};
}

timespec to_timespec(std::uint64_t ns) noexcept {
  return {.tv_sec = static_cast<time_t>(ns / ns_per_s),
          .tv_nsec = static_cast<long>(ns % ns_per_s)};
}

std::uint64_t deadline_in(std::uint64_t ns) noexcept {
  return ns == 0 ? no_deadline : deadline_after(to_timespec(ns));
}

// The one that alarm and setitimer share. Null if there is no room for it.
timer* real_interval() noexcept {
  auto& a = this_arena();
  auto* found = timers::find(a, timer::sort::real_interval, own_process(), 0);
  if (found == nullptr) found = timers::make(a, timer::sort::real_interval, own_process());
  if (found != nullptr) found->signal = SIGALRM;
  return found;
}

controlled_call begin(int signal, const void* site) noexcept {
  return {operation::timer, signals::resource_of(this_arena(), execution::self(), signal), site};
}

struct setting {
  std::uint64_t first_ns = 0;
  std::uint64_t interval_ns = 0;
};

// Sets the interval timer, and returns how it was set.
setting set_interval(const setting& to, const void* site) noexcept {
  auto call = begin(SIGALRM, site);
  auto* t = real_interval();
  if (t == nullptr) {
    execution::note_uncontrolled("setitimer");
    call.completed_without_waking(0);
    return {};
  }
  const setting before{timers::remaining_ns(this_arena(), *t), t->interval_ns};
  timers::set(this_arena(), *t, deadline_in(to.first_ns), to.interval_ns);
  call.completed_without_waking(0);
  return before;
}

int number_of(timer_t id) noexcept {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(id));  // NOLINT: what libc makes of it
}

// Null for those that the kernel runs, or that do not exist.
timer* modelled(timer_t id) noexcept {
  return timers::find(this_arena(), timer::sort::posix, own_process(), number_of(id));
}

bool can_be_modelled(clockid_t clock, const sigevent* how) noexcept {
  if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock < 0)
    return false;
  return how == nullptr || how->sigev_notify != SIGEV_THREAD;
}

bool counts_real_time(clockid_t clock) noexcept {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

// False if there is no room.
bool add_to_model(timer_t id, clockid_t clock, const sigevent* how) noexcept {
  auto* t = timers::make(this_arena(), timer::sort::posix, own_process());
  if (t == nullptr) return false;
  t->id = number_of(id);
  t->of_real_time = counts_real_time(clock);
  t->signal = SIGALRM;
  t->value = static_cast<std::uint64_t>(t->id);
  if (how == nullptr) return true;
  t->silent = how->sigev_notify == SIGEV_NONE;
  t->signal = how->sigev_signo;
  t->value = reinterpret_cast<std::uint64_t>(how->sigev_value.sival_ptr);  // NOLINT
  if (how->sigev_notify == SIGEV_THREAD_ID) t->thread = thread_task(how->_sigev_un._tid);
  return true;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// Of what was left it tells the nearest second, but never none.
unsigned alarm(unsigned seconds) noexcept {
  if (!controlled()) return real_alarm(seconds);
  const auto before = set_interval({seconds * ns_per_s, 0}, __builtin_return_address(0));
  if (before.first_ns == 0) return 0;
  const auto nearest = (before.first_ns + ns_per_s / 2) / ns_per_s;
  return nearest == 0 ? 1 : static_cast<unsigned>(nearest);
}

int getitimer(__itimer_which_t which, itimerval* value) noexcept {
  if (!controlled() || which != ITIMER_REAL) return real_getitimer(which, value);
  auto call = begin(SIGALRM, __builtin_return_address(0));
  if (const auto* t = real_interval(); t != nullptr)
    *value = {.it_interval = to_timeval(t->interval_ns),
              .it_value = to_timeval(timers::remaining_ns(this_arena(), *t))};
  return call.completed_unchanged(0);
}

int setitimer(__itimer_which_t which, const itimerval* __restrict value,
              itimerval* __restrict before) noexcept {
  if (!controlled()) return real_setitimer(which, value, before);
  if (which != ITIMER_REAL) {
    execution::note_uncontrolled("setitimer");
    return real_setitimer(which, value, before);
  }
  const itimerval wanted = value != nullptr ? *value : itimerval{};
  if (!valid(wanted.it_value) || !valid(wanted.it_interval)) {
    errno = EINVAL;
    return -1;
  }
  const auto was = set_interval({to_ns(wanted.it_value), to_ns(wanted.it_interval)},
                                __builtin_return_address(0));
  if (before != nullptr)
    *before = {.it_interval = to_timeval(was.interval_ns), .it_value = to_timeval(was.first_ns)};
  return 0;
}

int timer_create(clockid_t clock, sigevent* __restrict how, timer_t* __restrict id) noexcept {
  const auto result = real_timer_create(clock, how, id);
  if (!controlled() || result != 0) return result;
  if (!can_be_modelled(clock, how) || !add_to_model(*id, clock, how))
    execution::note_uncontrolled("timer_create");
  return 0;
}

int timer_delete(timer_t id) noexcept {
  if (controlled())
    if (auto* t = modelled(id); t != nullptr) *t = {};
  return real_timer_delete(id);
}

int timer_getoverrun(timer_t id) noexcept {
  if (!controlled() || modelled(id) == nullptr) return real_timer_getoverrun(id);
  auto call = begin(modelled(id)->signal, __builtin_return_address(0));
  return call.completed_unchanged(static_cast<int>(modelled(id)->overrun));
}

int timer_gettime(timer_t id, itimerspec* value) noexcept {
  if (!controlled() || modelled(id) == nullptr) return real_timer_gettime(id, value);
  auto call = begin(modelled(id)->signal, __builtin_return_address(0));
  const auto& t = *modelled(id);
  *value = {.it_interval = to_timespec(t.interval_ns),
            .it_value = to_timespec(timers::remaining_ns(this_arena(), t))};
  return call.completed_unchanged(0);
}

int timer_settime(timer_t id, int flags, const itimerspec* __restrict value,
                  itimerspec* __restrict before) noexcept {
  const bool refused = value == nullptr || !valid(value->it_value) || !valid(value->it_interval) ||
                       value->it_value.tv_sec < 0 || value->it_interval.tv_sec < 0;
  if (!controlled() || modelled(id) == nullptr || refused)
    return real_timer_settime(id, flags, value, before);
  auto call = begin(modelled(id)->signal, __builtin_return_address(0));
  auto& t = *modelled(id);
  if (before != nullptr)
    *before = {.it_interval = to_timespec(t.interval_ns),
               .it_value = to_timespec(timers::remaining_ns(this_arena(), t))};
  const bool stops = value->it_value.tv_sec == 0 && value->it_value.tv_nsec == 0;
  const auto clock = t.of_real_time ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  const auto deadline = stops                          ? no_deadline
                        : (flags & TIMER_ABSTIME) != 0 ? deadline_at(clock, value->it_value)
                                                       : deadline_after(value->it_value);
  timers::set(this_arena(), t, deadline, deadline_at(CLOCK_MONOTONIC, value->it_interval));
  return call.completed_without_waking(0);
}

useconds_t ualarm(useconds_t first, useconds_t interval) noexcept {
  if (!controlled()) return real_ualarm(first, interval);
  const auto before =
      set_interval({first * ns_per_us, interval * ns_per_us}, __builtin_return_address(0));
  return static_cast<useconds_t>((before.first_ns + ns_per_us - 1) / ns_per_us);
}

}  // extern "C"

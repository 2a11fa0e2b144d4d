// Waiting for signals: pause, sigsuspend, sigwait, sigwaitinfo, sigtimedwait.
//
// Resource: the signals of the process.
// Blocks: pause and sigsuspend until a handler has run; the others while the real sigtimedwait with
// no time-out finds none of their signals. A handler interrupts all but sigwait.
// Releases: whoever sends a signal, a child's death, a timer. Async-signal-safe.
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/timers.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/signal_set.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
namespace signals = execution::signals;
using execution::arena;
using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

constinit next<decltype(::pause)> real_pause{"pause"};
constinit next<decltype(::sigsuspend)> real_sigsuspend{"sigsuspend"};
constinit next<decltype(::sigwait)> real_sigwait{"sigwait"};
constinit next<decltype(::sigwaitinfo)> real_sigwaitinfo{"sigwaitinfo"};
constinit next<decltype(::sigtimedwait)> real_sigtimedwait{"sigtimedwait"};
constinit next<int(int)> real_xpg_sigpause{"__xpg_sigpause"};

arena& this_arena() noexcept { return *execution::current_arena(); }

controlled_call begin(const void* site) noexcept {
  return {operation::signal_wait, signals::resource_of(this_arena(), execution::self(), 0), site};
}

// No death but that of a child lets it go on, and of that comes a signal.
bool handler_ran(controlled_call& call) noexcept {
  const auto resource = call.resource();
  const auto cause = call.block_on({&resource, 1}, no_deadline, false);
  return cause == wake::interrupted || cause == wake::restarted;
}

int suspend(execution::signal_set mask, const void* site) noexcept {
  auto call = begin(site);
  signals::mask_until_end(this_arena(), execution::self(), mask);
  while (!handler_ran(call)) continue;
  return call.failed(EINTR);
}

// Signals that the task waits for are not delivered to it.
void begin_awaiting(execution::signal_set set) noexcept {
  auto& a = this_arena();
  signals::hold(a, execution::self());
  a.details[index(execution::self())].awaited = set;
}

// Before the call's end, which lets in what was held back.
void end_awaiting() noexcept {
  auto& a = this_arena();
  a.details[index(execution::self())].awaited = 0;
  a[execution::self()].attention = true;
}

// Takes one that is pending; 0 or less if there is none.
long take(execution::signal_set set, siginfo_t* info) noexcept {
  auto& a = this_arena();
  const auto process = signals::process_of(a, execution::self());
  execution::timers::queue_signals(a, process);
  const timespec none{};
  const auto signal = sys::call(SYS_rt_sigtimedwait, sys::address(&set), sys::address(info),
                                sys::address(&none), sizeof set);
  if (signal > 0) execution::timers::accepted(a, process, static_cast<int>(signal));
  return signal;
}

// Returns the signal or, negative, an error number. interruptible: a handler ends the wait.
int wait_for(execution::signal_set set, siginfo_t* info, std::uint64_t deadline, bool interruptible,
             const void* site) noexcept {
  auto call = begin(site);
  if (!interruptible) call.goes_on_after_signals();
  begin_awaiting(set);
  const auto resource = call.resource();
  const auto ended = [&](int error) {
    end_awaiting();
    call.failed_with(error);
    return -error;
  };
  for (;;) {
    const auto signal = take(set, info);
    if (signal > 0) {
      end_awaiting();
      call.concern(signals::resource_of(this_arena(), execution::self(), static_cast<int>(signal)));
      return call.completed_without_waking(static_cast<int>(signal));
    }
    if (signal != -EAGAIN) return ended(static_cast<int>(-signal));
    const auto cause = call.block_on({&resource, 1}, deadline, false);
    if (cause == wake::timed_out) return ended(EAGAIN);
    if (cause != wake::retry && interruptible) return ended(EINTR);
  }
}

int returned(int signal) noexcept {
  if (signal > 0) return signal;
  errno = -signal;
  return -1;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int __xpg_sigpause(int signal) noexcept;  // NOLINT: what sigpause() is to a program

int __xpg_sigpause(int signal) noexcept {  // NOLINT
  if (!controlled()) return real_xpg_sigpause(signal);
  auto& a = this_arena();
  signals::hold(a, execution::self());
  return suspend(a[execution::self()].mask & ~signals::only(signal), __builtin_return_address(0));
}

int pause() {
  if (!controlled()) return real_pause();
  auto call = begin(__builtin_return_address(0));
  while (!handler_ran(call)) continue;
  return call.failed(EINTR);
}

int sigsuspend(const sigset_t* mask) {
  if (!controlled()) return real_sigsuspend(mask);
  return suspend(to_kernel(*mask), __builtin_return_address(0));
}

int sigtimedwait(const sigset_t* __restrict set, siginfo_t* __restrict info,
                 const timespec* __restrict time_out) {
  if (!controlled()) return real_sigtimedwait(set, info, time_out);
  const auto* site = __builtin_return_address(0);
  if (time_out != nullptr && (!valid(*time_out) || time_out->tv_sec < 0))
    return real_sigtimedwait(set, info, time_out);
  const auto deadline = time_out == nullptr ? no_deadline : deadline_after(*time_out);
  return returned(wait_for(to_kernel(*set), info, deadline, true, site));
}

int sigwait(const sigset_t* __restrict set, int* __restrict signal) {
  if (!controlled()) return real_sigwait(set, signal);
  const auto got =
      wait_for(to_kernel(*set), nullptr, no_deadline, false, __builtin_return_address(0));
  if (got < 0) return -got;
  *signal = got;
  return 0;
}

int sigwaitinfo(const sigset_t* __restrict set, siginfo_t* __restrict info) {
  if (!controlled()) return real_sigwaitinfo(set, info);
  return returned(wait_for(to_kernel(*set), info, no_deadline, true, __builtin_return_address(0)));
}

}  // extern "C"

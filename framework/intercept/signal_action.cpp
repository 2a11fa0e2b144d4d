// What a process does when a signal comes: sigaction, signal and what is left of older ways.
//
// Resource: that signal of the process.
// Blocks: nothing. Releases: nothing. The real call is made: handlers, flags and alternate stacks
// are the kernel's affair. Only which signals are caught or ignored is noted, for those who send.
// Async-signal-safe.
#include <signal.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/timers.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/signal_set.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
namespace signals = execution::signals;
using execution::controlled;
using execution::controlled_call;

constinit next<int(int, const struct sigaction*, struct sigaction*)> real_sigaction{"sigaction"};
constinit next<sighandler_t(int, sighandler_t)> real_signal{"signal"};
constinit next<sighandler_t(int, sighandler_t)> real_sysv_signal{"sysv_signal"};
constinit next<sighandler_t(int, sighandler_t)> real_sigset{"sigset"};
constinit next<int(int)> real_sigignore{"sigignore"};
constinit next<int(int, int)> real_siginterrupt{"siginterrupt"};

struct kernel_action {
  std::uint64_t handler = 0;
  std::uint64_t flags = 0;
  std::uint64_t restorer = 0;
  std::uint64_t mask = 0;
};

void take_down(execution::signal_actions& actions, int signal) noexcept {
  kernel_action now;
  sys::call(SYS_rt_sigaction, signal, 0, sys::address(&now), sizeof now.mask);
  const auto bit = signals::only(signal);
  actions.caught &= ~bit;
  actions.ignored &= ~bit;
  if (now.handler == 1)
    actions.ignored |= bit;
  else if (now.handler != 0)
    actions.caught |= bit;
}

// The action of that signal may have become another one.
void note_action(int signal) noexcept {
  auto* a = execution::current_arena();
  if (a == nullptr || signals::only(signal) == 0) return;
  const auto me = execution::self();
  if (me == no_task) return take_down(a->inherited_actions, signal);
  take_down(signals::actions_of(*a, me), signal);
  auto& t = (*a)[me];
  t.catches_signals |= signals::actions_of(*a, me).caught != 0;
  // sigset unblocks the signal, and what is pending may now be caught.
  signals::mask_changed(*a, me);
  t.attention = true;
  execution::timers::action_changed(*a, signals::process_of(*a, me), signal);
}

resource_id signal_of_caller(int signal) noexcept {
  if (signals::only(signal) == 0) return no_resource;
  return signals::resource_of(*execution::current_arena(), execution::self(), signal);
}

// real: the call, whose own call of the kernel traps: what it sets up must leave SIGSYS to
// Forkloom. failure: what it returns then.
template <class Result, class Real>
Result change_action(int signal, Result failure, const void* site, Real real) noexcept {
  if (!controlled()) {
    const auto result = real();
    note_action(signal);
    return result;
  }
  controlled_call call{operation::signal_action, signal_of_caller(signal), site};
  const auto result = real();
  const auto error = errno;
  if (result == failure) {
    call.failed(error);
    return result;
  }
  note_action(signal);
  call.completed_without_waking(0);
  return result;
}

}  // namespace

void action_changed(int signal) noexcept { note_action(signal); }

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

sighandler_t bsd_signal(int signal, sighandler_t handler) noexcept;  // NOLINT: not in the headers
sighandler_t __sysv_signal(int signal, sighandler_t handler) noexcept;  // NOLINT: what signal() is

sighandler_t __sysv_signal(int signal, sighandler_t handler) noexcept {  // NOLINT
  return change_action(signal, SIG_ERR, __builtin_return_address(0),
                       [&] { return real_sysv_signal.trapped(signal, handler); });
}

sighandler_t bsd_signal(int signal, sighandler_t handler) noexcept {
  return change_action(signal, SIG_ERR, __builtin_return_address(0),
                       [&] { return real_signal.trapped(signal, handler); });
}

// A look at the action alone is nothing that another task could notice.
int sigaction(int signal, const struct sigaction* __restrict action,
              struct sigaction* __restrict before) noexcept {
  if (action == nullptr) return real_sigaction.trapped(signal, action, before);
  return change_action(signal, -1, __builtin_return_address(0),
                       [&] { return real_sigaction.trapped(signal, action, before); });
}

int sigignore(int signal) noexcept {
  return change_action(signal, -1, __builtin_return_address(0),
                       [&] { return real_sigignore.trapped(signal); });
}

int siginterrupt(int signal, int interrupts) noexcept {
  return change_action(signal, -1, __builtin_return_address(0),
                       [&] { return real_siginterrupt.trapped(signal, interrupts); });
}

sighandler_t signal(int number, sighandler_t handler) noexcept {
  return change_action(number, SIG_ERR, __builtin_return_address(0),
                       [&] { return real_signal.trapped(number, handler); });
}

// It changes the mask as well.
sighandler_t sigset(int signal, sighandler_t handler) noexcept {
  return change_action(signal, SIG_ERR, __builtin_return_address(0),
                       [&] { return real_sigset.trapped(signal, handler); });
}

sighandler_t ssignal(int signal, sighandler_t handler) noexcept {
  return change_action(signal, SIG_ERR, __builtin_return_address(0),
                       [&] { return real_signal.trapped(signal, handler); });
}

sighandler_t sysv_signal(int signal, sighandler_t handler) noexcept {
  return change_action(signal, SIG_ERR, __builtin_return_address(0),
                       [&] { return real_sysv_signal.trapped(signal, handler); });
}

}  // extern "C"

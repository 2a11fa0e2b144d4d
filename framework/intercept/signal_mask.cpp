// Which signals a task blocks, and which are pending: sigprocmask, pthread_sigmask, sigpending.
//
// Resource: the signals of the process.
// Blocks: nothing. Releases: nothing; but handlers of what is unblocked run before the call
// returns. What is pending is the kernel's word. Async-signal-safe.
#include <pthread.h>
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
using execution::signal_set;

constinit next<int(int, const sigset_t*, sigset_t*)> real_sigprocmask{"sigprocmask"};
constinit next<int(int, const sigset_t*, sigset_t*)> real_pthread_sigmask{"pthread_sigmask"};
constinit next<int(sigset_t*)> real_sigpending{"sigpending"};
constinit next<int(int)> real_sighold{"sighold"};
constinit next<int(int)> real_sigrelse{"sigrelse"};

// Nobody blocks these: the kernel does not let him, and libc not those that it needs itself.
constexpr signal_set never_blocked = signals::only(SIGKILL) | signals::only(SIGSTOP) |
                                     signals::only(32) | signals::only(33) | signals::only(SIGSYS);

controlled_call begin(const void* site) noexcept {
  auto& a = *execution::current_arena();
  return {operation::signal_mask, signals::resource_of(a, execution::self(), 0), site};
}

// Returns an error number.
int change_mask(int how, const sigset_t* set, sigset_t* before, const void* site) noexcept {
  auto call = begin(site);
  if (how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK) return call.failed_with(EINVAL);
  auto& a = *execution::current_arena();
  signals::hold(a, execution::self());
  auto& t = a[execution::self()];
  const auto asked = to_kernel(*set);
  const auto former = t.mask;
  const auto mask = how == SIG_BLOCK     ? former | asked
                    : how == SIG_UNBLOCK ? former & ~asked
                                         : asked;
  t.mask = mask & ~never_blocked;
  t.attention = true;
  if (before != nullptr) *before = to_libc(former);
  return call.completed_without_waking(0);
}

int change_one(int how, int signal, const void* site) noexcept {
  sigset_t one{};
  ::sigemptyset(&one);
  if (::sigaddset(&one, signal) != 0) return -1;
  return change_mask(how, &one, nullptr, site);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_sigmask(int how, const sigset_t* __restrict set, sigset_t* __restrict before) noexcept {
  if (!controlled() || set == nullptr) return real_pthread_sigmask(how, set, before);
  return change_mask(how, set, before, __builtin_return_address(0));
}

int sighold(int signal) noexcept {
  if (!controlled()) return real_sighold(signal);
  return change_one(SIG_BLOCK, signal, __builtin_return_address(0));
}

int sigpending(sigset_t* set) noexcept {
  if (!controlled()) return real_sigpending(set);
  auto call = begin(__builtin_return_address(0));
  auto& a = *execution::current_arena();
  execution::timers::queue_signals(a, signals::process_of(a, execution::self()));
  const auto result = real_sigpending(set);
  return result == 0 ? call.completed_unchanged(0) : call.failed(errno);
}

int sigprocmask(int how, const sigset_t* __restrict set, sigset_t* __restrict before) noexcept {
  if (!controlled() || set == nullptr) return real_sigprocmask(how, set, before);
  const auto error = change_mask(how, set, before, __builtin_return_address(0));
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int sigrelse(int signal) noexcept {
  if (!controlled()) return real_sigrelse(signal);
  return change_one(SIG_UNBLOCK, signal, __builtin_return_address(0));
}

}  // extern "C"

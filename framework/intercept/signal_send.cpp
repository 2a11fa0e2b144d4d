// Signals that tasks send: kill, killpg, raise, sigqueue, tgkill, pthread_kill, pthread_sigqueue,
// pidfd_send_signal, rt_sigqueueinfo, rt_tgsigqueueinfo.
//
// Resource: that signal of that process; for SIGKILL and 0, the children of its parent.
// Blocks: nothing. Releases: whoever waits for the signal, or is interrupted by it; see
// execution/signals.hpp. The real signal is sent, by the real call, while all tasks that have
// handlers hold signals back.
// A signal that ends a process which catches none, and SIGKILL, do so before the call returns, and
// so does one that stops it. A signal to a group goes to those of its processes that are tasks.
// Async-signal-safe.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/poll.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/event_source.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/pidfd.hpp"
#include "framework/intercept/process.hpp"
#include "framework/intercept/raw.hpp"
#include "framework/intercept/signal_send.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
namespace signals = execution::signals;
using execution::arena;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::kill)> real_kill{"kill"};
constinit next<decltype(::killpg)> real_killpg{"killpg"};
constinit next<decltype(::raise)> real_raise{"raise"};
constinit next<decltype(::sigqueue)> real_sigqueue{"sigqueue"};
constinit next<int(pid_t, pid_t, int)> real_tgkill{"tgkill"};
constinit next<decltype(::pthread_kill)> real_pthread_kill{"pthread_kill"};
constinit next<decltype(::pthread_sigqueue)> real_pthread_sigqueue{"pthread_sigqueue"};
constinit next<int(int, int, siginfo_t*, unsigned)> real_pidfd_send_signal{"pidfd_send_signal"};

arena& this_arena() noexcept { return *execution::current_arena(); }

// Who shall get it: a process, or one task of it.
struct target {
  task_id process = no_task;  // no_task: none that is a task
  task_id thread = no_task;
};

// Linux takes the number of any thread for its process.
target process_with(pid_t pid) noexcept {
  auto named = task_of(pid);
  if (named == no_task && pid > 0) named = thread_task(pid);
  return {named == no_task ? no_task : signals::process_of(this_arena(), named), no_task};
}

// Calls visit(task) for those that would take it.
template <class Visit>
void for_each_taker(const target& to, Visit visit) noexcept {
  auto& a = this_arena();
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    if (!signals::lives(a, task_id(i)) || signals::process_of(a, task_id(i)) != to.process)
      continue;
    if (to.thread == no_task || to.thread == task_id(i)) visit(a.tasks[i]);
  }
}

bool all_block(const target& to, int signal) noexcept {
  bool all = true;
  for_each_taker(to, [&](const execution::task& t) { all &= signals::contains(t.mask, signal); });
  return all;
}

// Does the signal end the process in the kernel, although that sleeps?
bool kills_at_once(const target& to, int signal) noexcept {
  if (signal == SIGKILL) return true;
  if (!signals::terminates(this_arena(), to.process, signal)) return false;
  bool at_once = false;
  for_each_taker(to, [&](const execution::task& t) {
    at_once |= !t.held && !signals::contains(t.mask, signal);
  });
  return at_once;
}

void stop(task_id process) noexcept {
  auto& a = this_arena();
  signals::await_stop(a, process);
  signals::stopped(a, process);
  execution::wake_waiters(a, execution::children_of(a, a[process].parent));
  signals::child_changed(a, a[process].parent, process);
}

// What comes of it, once the kernel has accepted it. The target is not the caller.
void take_effect(const target& to, int signal, bool kills) noexcept {
  auto& a = this_arena();
  // The kernel keeps it for a process that is stopped, but SIGKILL.
  if (kills && a[to.process].stopped && signal != SIGKILL) {
    a.details[index(to.process)].death_due = signal;
    return;
  }
  if (kills) return signals::await_death(a, to.process, signal);
  if (signals::stops(a, to.process, signal) && (signal == SIGSTOP || !all_block(to, signal))) {
    if (!a[to.process].stopped) stop(to.process);
    return;
  }
  if (signal == SIGCONT) signals::let_go_on(a, to.process);
  signals::arrived(a, to.process, to.thread, signal);
}

// Sends one signal. The attempt does so, and returns 0 or an error number; probe the same with the
// signal 0, which tells what is not permitted.
template <class Attempt, class Probe>
int send_one(const target& to, int signal, Attempt attempt, Probe probe) noexcept {
  auto& a = this_arena();
  if (signal == 0 || to.process == no_task || !signals::lives(a, to.process)) return attempt();
  const auto me = execution::self();
  const bool to_itself = to.process == signals::process_of(a, me);
  if (to_itself && signals::stops(a, to.process, signal) &&
      (signal == SIGSTOP || !all_block(to, signal))) {
    signals::stop_self(a, me, signal);
    return 0;
  }
  // The kernel drops what is ignored, but not while the target holds it back.
  if (signals::vanishes(a, to.process, signal) && !all_block(to, signal) && signal != SIGCONT)
    return probe();
  const bool kills = kills_at_once(to, signal);
  if (const auto error = attempt(); error != 0) return error;
  if (to_itself)
    signals::arrived(a, to.process, to.thread, signal);
  else
    take_effect(to, signal, kills);
  return 0;
}

operation operation_for(int signal) noexcept {
  return signal == 0 || signal == SIGKILL ? operation::kill : operation::signal_send;
}

resource_id concerned(const target& to, int signal) noexcept {
  auto& a = this_arena();
  if (to.process == no_task) return no_resource;
  if (operation_for(signal) == operation::kill)
    return execution::children_of(a, a[to.process].parent);
  return signals::resource_of(a, to.process, signal);
}

// A call with one target. Its event tells the signal and, if the target is a task's process, 1 +
// that task. It holds the caller's own signals back as well: if it sends one to
// itself, or one comes of what it does, that is let in when the call is over.
template <class Attempt, class Probe>
int send(const target& to, int signal, const void* site, Attempt attempt, Probe probe) noexcept {
  controlled_call call{operation_for(signal), concerned(to, signal), site};
  call.asks(static_cast<std::uint64_t>(signal), to.process == no_task ? 0 : index(to.process) + 1);
  signals::hold(this_arena(), execution::self());
  const auto error = send_one(to, signal, attempt, probe);
  if (error != 0) return call.failed_with(error);
  return call.completed(0);
}

int error_of(long result) noexcept { return result < 0 ? static_cast<int>(-result) : 0; }

int kill_process(pid_t pid, int signal) noexcept {
  return send_one(
      process_with(pid), signal, [&] { return error_of(sys::call(SYS_kill, pid, signal)); },
      [&] { return error_of(sys::call(SYS_kill, pid, 0)); });
}

// group: 0 for the caller's own, -1 for everybody but the caller. The caller gets it last.
int kill_group(pid_t group, int signal, const void* site) noexcept {
  auto& a = this_arena();
  const auto me = signals::process_of(a, execution::self());
  controlled_call call{operation_for(signal), no_resource, site};
  call.asks(static_cast<std::uint64_t>(signal), 0);
  const auto wanted = group == 0 ? static_cast<pid_t>(sys::call(SYS_getpgid, 0)) : group;
  signals::hold(a, execution::self());
  int error = ESRCH;
  const auto reach = [&](task_id process) {
    const auto pid = a[process].pid.load();
    if (wanted != -1 && sys::call(SYS_getpgid, pid) != wanted) return;
    const auto result = kill_process(pid, signal);
    if (error != 0) error = result;
  };
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (signals::lives(a, task_id(i)) && signals::process_of(a, task_id(i)) == task_id(i) &&
        task_id(i) != me)
      reach(task_id(i));
  if (wanted != -1) reach(me);
  return error == 0 ? call.completed(0) : call.failed(error);
}

int kill_any(pid_t pid, int signal, const void* site) noexcept {
  if (pid == 0 || pid == -1) return kill_group(pid, signal, site);
  if (pid < 0) return kill_group(-pid, signal, site);
  const auto error = send(
      process_with(pid), signal, site, [&] { return error_of(sys::call(SYS_kill, pid, signal)); },
      [&] { return error_of(sys::call(SYS_kill, pid, 0)); });
  if (error == 0) return 0;
  errno = error;
  return -1;
}

// A thread is told by libc's clock for it, in which its kernel id lies inverted above three bits.
pid_t id_of(pthread_t thread) noexcept {
  clockid_t clock = 0;
  if (::pthread_getcpuclockid(thread, &clock) != 0) return 0;
  return static_cast<pid_t>(~(static_cast<unsigned>(clock) >> 3) & 0x1fff'ffff);
}

target thread_with(pid_t id) noexcept {
  const auto task = thread_task(id);
  if (task == no_task) return {};
  return {signals::process_of(this_arena(), task), task};
}

// A system call that sends a signal with information of the caller's own making. The kernel judges
// that before it looks at the signal, so the same call with the signal 0 tells what it thinks.
// which: the signal's place among the arguments.
long send_raw(const target& to, system_call call, std::size_t which) noexcept {
  const auto signal = static_cast<int>(call.arguments[which]);
  const auto attempt = [&] { return error_of(execution::perform(call)); };
  const auto probe = [&] {
    call.arguments[which] = 0;
    return error_of(execution::perform(call));
  };
  return -send(to, signal, call.site, attempt, probe);
}

}  // namespace

long rt_sigqueueinfo(const system_call& call) noexcept {
  return send_raw(process_with(static_cast<pid_t>(call.arguments[0])), call, 1);
}

long rt_tgsigqueueinfo(const system_call& call) noexcept {
  return send_raw(thread_with(static_cast<pid_t>(call.arguments[1])), call, 2);
}

void send_in_passing(task_id process, const siginfo_t& info, const void* site) noexcept {
  auto& a = this_arena();
  const target to{process, no_task};
  signals::hold(a, execution::self());
  if (auto* e = execution::append_event(a, execution::self(), operation::signal_send,
                                        concerned(to, info.si_signo), outcome::completed);
      e != nullptr) {
    e->site = reinterpret_cast<std::uint64_t>(site);  // NOLINT: an address kept as a number
    e->before = static_cast<std::uint64_t>(info.si_signo);
    e->after = index(process) + 1;
  }
  const auto pid = a[process].pid.load();
  const auto attempt = [&] {
    return error_of(sys::call(SYS_rt_sigqueueinfo, pid, info.si_signo, sys::address(&info)));
  };
  send_one(to, info.si_signo, attempt, [] { return 0; });
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int gsignal(int signal) noexcept {
  if (!controlled()) return real_raise(signal);
  return ::raise(signal);
}

int kill(pid_t pid, int signal) noexcept {
  if (!controlled()) return real_kill(pid, signal);
  return kill_any(pid, signal, __builtin_return_address(0));
}

int killpg(pid_t group, int signal) noexcept {
  if (!controlled()) return real_killpg(group, signal);
  if (group < 0) {
    errno = EINVAL;
    return -1;
  }
  return kill_group(group, signal, __builtin_return_address(0));
}

// flags: they say whether the thread, its process or its group is meant. Without any, it is what
// the descriptor was opened for.
int pidfd_send_signal(int fd, int signal, siginfo_t* info, unsigned flags) noexcept {
  if (!controlled()) return real_pidfd_send_signal(fd, signal, info, flags);
  const auto* site = __builtin_return_address(0);
  const auto pid = execution::process_behind(fd);
  const system_call call{
      SYS_pidfd_send_signal, {fd, signal, sys::address(info), static_cast<long>(flags)}, site};
  const auto result = send_raw(pid > 0 ? process_with(pid) : target{}, call, 1);
  if (result == 0 && signal != 0 && (flags != 0 || pid == 0))
    execution::note_uncontrolled("pidfd_send_signal", site);
  if (result == 0) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

int pthread_kill(pthread_t thread, int signal) noexcept {
  if (!controlled()) return real_pthread_kill(thread, signal);
  return send(
      thread_with(id_of(thread)), signal, __builtin_return_address(0),
      [&] { return real_pthread_kill(thread, signal); },
      [&] { return real_pthread_kill(thread, 0); });
}

int pthread_sigqueue(pthread_t thread, int signal, const sigval value) noexcept {
  if (!controlled()) return real_pthread_sigqueue(thread, signal, value);
  return send(
      thread_with(id_of(thread)), signal, __builtin_return_address(0),
      [&] { return real_pthread_sigqueue(thread, signal, value); },
      [&] { return real_pthread_kill(thread, 0); });
}

int raise(int signal) noexcept {
  if (!controlled()) return real_raise(signal);
  const auto error = send(
      thread_with(static_cast<pid_t>(sys::call(SYS_gettid))), signal, __builtin_return_address(0),
      [&] { return real_raise(signal) == 0 ? 0 : errno; }, [] { return 0; });
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int sigqueue(pid_t pid, int signal, const sigval value) noexcept {
  if (!controlled()) return real_sigqueue(pid, signal, value);
  const auto error = send(
      process_with(pid), signal, __builtin_return_address(0),
      [&] { return real_sigqueue(pid, signal, value) == 0 ? 0 : errno; },
      [&] { return error_of(sys::call(SYS_kill, pid, 0)); });
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int tgkill(pid_t process, pid_t thread, int signal) {
  if (!controlled()) return real_tgkill(process, thread, signal);
  const auto error = send(
      thread_with(thread), signal, __builtin_return_address(0),
      [&] { return error_of(sys::call(SYS_tgkill, process, thread, signal)); },
      [&] { return error_of(sys::call(SYS_tgkill, process, thread, 0)); });
  if (error == 0) return 0;
  errno = error;
  return -1;
}

}  // extern "C"

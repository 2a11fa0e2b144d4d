#include "framework/execution/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "framework/execution/call.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signal_state.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/timers.hpp"

namespace forkloom::execution::signals {
namespace {

constexpr signal_set default_ignored =
    only(SIGCHLD) | only(SIGCONT) | only(SIGURG) | only(SIGWINCH);
constexpr signal_set default_stops = only(SIGSTOP) | only(SIGTSTP) | only(SIGTTIN) | only(SIGTTOU);
// libc's own, for pthread_cancel and setuid: whoever sends the latter waits for its handlers.
constexpr signal_set internal = only(32) | only(33);

void set_mask(signal_set mask) noexcept {
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::address(&mask), 0, sizeof mask);
}

signal_set pending_now() noexcept {
  signal_set pending = 0;
  sys::call(SYS_rt_sigpending, sys::address(&pending), sizeof pending);
  return pending;
}

// As the kernel knows it, which libc's struct sigaction is not.
struct kernel_action {
  std::uint64_t handler = 0;
  std::uint64_t flags = 0;
  std::uint64_t restorer = 0;
  signal_set mask = 0;
};

kernel_action action_of(int signal) noexcept {
  kernel_action found;
  sys::call(SYS_rt_sigaction, signal, 0, sys::address(&found), sizeof found.mask);
  return found;
}

// POSIX lets nobody stop a group by a signal of the terminal if nobody of its session outside of it
// could let it go on: if no member's parent is in another group of the same session.
bool in_orphaned_group(const arena& a, task_id process) noexcept {
  const auto pid_of = [&](task_id task) {
    return task == no_task || !lives(a, task) ? a.controller.pid : a[task].pid.load();
  };
  const auto group = sys::call(SYS_getpgid, pid_of(process));
  const auto session = sys::call(SYS_getsid, pid_of(process));
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    if (!lives(a, task_id(i)) || sys::call(SYS_getpgid, pid_of(task_id(i))) != group) continue;
    const auto parent = pid_of(a.tasks[i].parent);
    if (sys::call(SYS_getpgid, parent) != group && sys::call(SYS_getsid, parent) == session)
      return false;
  }
  return true;
}

// Calls visit(task) for the tasks of a process that are not dead.
template <class Visit>
void for_each_of(arena& a, task_id process, Visit visit) noexcept {
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (lives(a, task_id(i)) && process_of(a, task_id(i)) == process) visit(task_id(i));
}

// Those that are delivered as soon as the kernel may: they have handlers, or end the process.
signal_set deliverable(const arena& a, task_id me) noexcept {
  const auto process = process_of(a, me);
  auto found = pending_now() & ~a[me].mask & ~a.details[index(me)].awaited & ~internal;
  for (auto rest = found; rest != 0; rest &= rest - 1) {
    const int signal = std::countr_zero(rest) + 1;
    if (vanishes(a, process, signal)) found &= ~only(signal);
  }
  return found;
}

// What is about to be delivered. Whether a call is restarted is said by the flags of the first
// handler that the kernel sets up, which is that of the lowest number. Most handlers tell
// themselves when they begin, each time; the others, and what ends the process, are told here.
wake announce(arena& a, task_id me, signal_set coming) noexcept {
  auto result = wake::retry;
  for (auto rest = coming; rest != 0; rest &= rest - 1) {
    const int signal = std::countr_zero(rest) + 1;
    const auto action = action_of(signal);
    if (result == wake::retry)
      result = (action.flags & SA_RESTART) != 0 ? wake::restarted : wake::interrupted;
    if (!tells_its_deliveries(action.handler)) delivered(a, me, signal, action.flags);
  }
  return result;
}

// A signal that stops the process when it is let in must not stop it with the token in its hands.
void stop_if_told(arena& a, task_id me) noexcept {
  for (auto rest = deliverable(a, me) & default_stops; rest != 0; rest &= rest - 1) {
    const int signal = std::countr_zero(rest) + 1;
    if (!stops(a, process_of(a, me), signal)) continue;
    const auto taken = only(signal);
    const timespec none{};
    sys::call(SYS_rt_sigtimedwait, sys::address(&taken), 0, sys::address(&none), sizeof taken);
    stop_self(a, me, signal);
  }
}

// Under a temporary mask it is as if the waiting call were made only now: the kernel runs handlers
// under that mask and puts the former one back, which is the one that holds everything.
wake deliver_in_wait(arena& a, task_id me, signal_set coming) noexcept {
  auto& t = a[me];
  const auto result = announce(a, me, coming);
  const auto mask = t.mask;
  const auto own = a.details[index(me)].own_mask;
  t.held = t.mask_is_temporary = false;
  {
    const trap_resumption handlers_run;
    const called_from nobody(nullptr);
    sys::call(SYS_rt_sigsuspend, sys::address(&mask), sizeof mask);
  }
  t.held = true;
  t.mask = own;
  return result;
}

class signal_name {
 public:
  explicit signal_name(int signal) noexcept {
    if (const char* known = sigabbrev_np(signal); known != nullptr) {
      put("SIG");
      put(known);
    } else if (signal >= SIGRTMIN) {
      put("SIGRTMIN+");
      end_ = std::to_chars(end_, text_.data() + text_.size(), signal - SIGRTMIN).ptr;
    } else {
      put("signals");
    }
  }
  void put(std::string_view more) noexcept {
    const auto room = static_cast<std::size_t>(text_.data() + text_.size() - end_);
    end_ = std::copy_n(more.begin(), std::min(more.size(), room), end_);
  }
  [[nodiscard]] std::string_view view() const noexcept {
    return {text_.data(), static_cast<std::size_t>(end_ - text_.data())};
  }

 private:
  std::array<char, 64> text_{};
  char* end_ = text_.data();
};

// The letter in /proc/PID/stat, behind the name in parentheses; 0 if there is no such process.
char state_of(pid_t pid) noexcept {
  std::array<char, 32> path{"/proc/"};
  auto* end = std::to_chars(path.data() + 6, path.data() + path.size(), pid).ptr;
  std::memcpy(end, "/stat", sizeof "/stat");
  const auto fd = sys::call(SYS_openat, AT_FDCWD, sys::address(path.data()), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  std::array<char, 128> text{};
  const auto got = sys::call(SYS_read, fd, sys::address(text.data()), text.size());
  sys::call(SYS_close, fd);
  const std::string_view line(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto name_end = line.rfind(") ");
  return name_end == std::string_view::npos || name_end + 2 >= line.size() ? '\0'
                                                                           : line[name_end + 2];
}

// A process has its id before it has run at all; a thread only then.
pid_t kernel_id(const arena& a, task_id task) noexcept {
  return process_of(a, task) == task ? a[task].pid.load() : a[task].tid.load();
}

// Lets the process run for a moment, until its state is one of these or it is gone.
void await_state(pid_t pid, std::string_view wanted) noexcept {
  for (;;) {
    const auto state = state_of(pid);
    if (state == '\0' || state == 'Z' || state == 'X') return;
    if (wanted.find(state) != std::string_view::npos) return;
    const timespec moment{.tv_sec = 0, .tv_nsec = 20'000};
    sys::call(SYS_nanosleep, sys::address(&moment), 0);
  }
}

}  // namespace

task_id process_of(const arena& a, task_id task) noexcept { return a[task].process; }

bool lives(const arena& a, task_id task) noexcept {
  return index(task) < a.schedule.task_count && a[task].state != task_state::dead &&
         a[task].state != task_state::unused;
}

signal_actions& actions_of(arena& a, task_id task) noexcept {
  return a.details[index(process_of(a, task))].actions;
}

resource_id resource_of(arena& a, task_id task, int signal) noexcept {
  const auto process = process_of(a, task);
  const auto id = a.resources.find_or_add(
      {resource_key::space::signals, index(process), static_cast<std::uint64_t>(signal)},
      resource_kind::signal);
  if (a.resources[id].name[0] == '\0') {
    signal_name name(signal);
    name.put(" of ");
    name.put(a.details[index(process)].name.data());
    a.resources.set_name(id, name.view());
  }
  return id;
}

bool vanishes(const arena& a, task_id process, int signal) noexcept {
  const auto& actions = a.details[index(process)].actions;
  if (contains(actions.ignored, signal)) return true;
  if (signal != SIGSTOP && contains(default_stops & ~actions.caught, signal))
    return in_orphaned_group(a, process);
  return contains(default_ignored & ~actions.caught, signal);
}

bool stops(const arena& a, task_id process, int signal) noexcept {
  const auto& actions = a.details[index(process)].actions;
  return contains(default_stops & ~actions.caught, signal) && !vanishes(a, process, signal);
}

bool terminates(const arena& a, task_id process, int signal) noexcept {
  return !contains(a.details[index(process)].actions.caught, signal) &&
         !vanishes(a, process, signal) && !stops(a, process, signal);
}

void inherit(arena& a, task_id parent, task_id child) noexcept {
  auto& t = a[child];
  t.held = true;
  if (parent == no_task) {
    a.details[index(child)].actions = a.inherited_actions;
    t.catches_signals = a.inherited_actions.caught != 0;
    return;
  }
  t.mask = a[parent].mask;
  if (process_of(a, child) == child) {
    actions_of(a, child) = actions_of(a, parent);
    t.catches_signals = actions_of(a, child).caught != 0;
    return;
  }
  // One of them may catch a signal while the other one sleeps.
  t.catches_signals = a[parent].catches_signals = true;
}

void begin_program(arena& a, task_id me) noexcept {
  actions_of(a, me).caught = 0;
  a[me].catches_signals = a[me].held = false;
  timers::forget_posix(a, process_of(a, me));
}

void hold(arena& a, task_id me) noexcept {
  auto& t = a[me];
  if (t.held) return;
  // A sleeping task can be stopped without harm. Traps of system calls must always come through.
  const auto all = ~(only(SIGSYS) | internal | (default_stops & ~actions_of(a, me).caught));
  sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::address(&all), sys::address(&t.mask), sizeof all);
  t.held = true;
}

wake let_in(arena& a, task_id me) noexcept {
  auto& t = a[me];
  if (t.mask_is_temporary) {
    t.mask_is_temporary = false;
    t.mask = a.details[index(me)].own_mask;
    t.attention = true;
  }
  auto result = wake::retry;
  if (t.attention) {
    hold(a, me);
    t.attention = false;
    timers::queue_signals(a, process_of(a, me));
    stop_if_told(a, me);
    result = announce(a, me, deliverable(a, me));
  }
  t.held = false;
  const trap_resumption handlers_run;
  const called_from nobody(nullptr);
  set_mask(t.mask);
  return result;
}

wake let_in_before_wait(arena& a, task_id me) noexcept {
  auto& t = a[me];
  if (!t.attention) return wake::retry;
  hold(a, me);
  timers::queue_signals(a, process_of(a, me));
  const auto coming = deliverable(a, me);
  if (coming == 0) {
    t.attention = false;
    return wake::retry;
  }
  if (!t.mask_is_temporary) return let_in(a, me);
  t.attention = false;
  return deliver_in_wait(a, me, coming);
}

void delivered(arena& a, task_id me, int signal, std::uint64_t flags) noexcept {
  append_event(a, me, operation::signal_deliver, resource_of(a, me, signal), outcome::completed);
  note_progress(a);
  if ((flags & SA_RESETHAND) != 0) actions_of(a, me).caught &= ~only(signal);
  timers::accepted(a, process_of(a, me), signal);
}

void mask_changed(arena& a, task_id me) noexcept {
  auto& t = a[me];
  if (!t.held) sys::call(SYS_rt_sigprocmask, SIG_BLOCK, 0, sys::address(&t.mask), sizeof t.mask);
}

void mask_until_end(arena& a, task_id me, signal_set mask) noexcept {
  hold(a, me);
  auto& t = a[me];
  a.details[index(me)].own_mask = t.mask;
  t.mask = mask & ~(only(SIGKILL) | only(SIGSTOP) | only(SIGSYS));
  t.mask_is_temporary = true;
  t.attention = true;
}

void arrived(arena& a, task_id process, task_id only_task, int signal) noexcept {
  const bool to_nobody = vanishes(a, process, signal);
  for_each_of(a, process, [&](task_id task) {
    if (only_task != no_task && task != only_task) return;
    auto& t = a[task];
    t.attention = true;
    if (t.state != task_state::blocked) return;
    if (contains(a.details[index(task)].awaited, signal))
      set_enabled(a, task, wake::retry);
    else if (!contains(t.mask, signal) && !to_nobody)
      set_enabled(a, task, wake::interrupted);
  });
  // Descriptors of signals become readable.
  wake_waiters(a, resource_of(a, process, 0));
}

void child_changed(arena& a, task_id parent, task_id child) noexcept {
  if (parent == no_task || !lives(a, parent)) return;
  const auto process = process_of(a, parent);
  bool blocked = false;
  for_each_of(a, process, [&](task_id task) {
    blocked |= contains(a[task].mask | a.details[index(task)].awaited, SIGCHLD);
  });
  if (!blocked && vanishes(a, process, SIGCHLD)) return;
  append_event(a, child, operation::signal_send, resource_of(a, process, SIGCHLD),
               outcome::completed);
  arrived(a, process, no_task, SIGCHLD);
}

void stopped(arena& a, task_id process) noexcept {
  for_each_of(a, process, [&](task_id task) {
    auto& t = a[task];
    t.stopped = true;
    a.schedule.enabled.erase(task);
    if (t.state == task_state::blocked) return;
    t.blocked_event = a.log.event_count();
    append_event(a, task, operation::signal_wait, resource_of(a, process, SIGCONT),
                 outcome::blocked);
  });
}

void continued(arena& a, task_id process) noexcept {
  for_each_of(a, process, [&](task_id task) {
    a[task].stopped = false;
    if (a[task].state == task_state::ready) a.schedule.enabled.insert(task);
  });
}

// 't' is a stop that a tracer sees.
void await_stop(arena& a, task_id process) noexcept {
  for_each_of(a, process, [&](task_id task) { await_state(kernel_id(a, task), "Tt"); });
}

void await_continuation(arena& a, task_id process) noexcept {
  for_each_of(a, process, [&](task_id task) { await_state(kernel_id(a, task), "SD"); });
}

void await_death(arena& a, task_id process, int signal) noexcept {
  const auto fd = static_cast<int>(sys::call(SYS_pidfd_open, a[process].pid.load(), 0));
  if (fd >= 0) {
    const pollfd zombie{.fd = fd, .events = POLLIN, .revents = 0};
    while (sys::call(SYS_poll, sys::address(&zombie), 1, -1) == -EINTR) continue;
    sys::call(SYS_close, fd);
  }
  death(a, process, signal);
}

void let_go_on(arena& a, task_id process) noexcept {
  if (!a[process].stopped) return;
  if (const auto fatal = a.details[index(process)].death_due; fatal != 0)
    return await_death(a, process, fatal);
  await_continuation(a, process);
  goes_on(a, process);
}

void goes_on(arena& a, task_id process) noexcept {
  continued(a, process);
  wake_waiters(a, children_of(a, a[process].parent));
  child_changed(a, a[process].parent, process);
}

void stop_self(arena& a, task_id me, int signal) noexcept {
  hold(a, me);
  set_mask(~(only(SIGSYS) | internal | default_stops));
  const auto process = process_of(a, me);
  stopped(a, process);
  wake_waiters(a, children_of(a, a[process].parent));
  child_changed(a, a[process].parent, me);
  a.schedule.stop_due = me;
  a.schedule.stop_signal = signal;
  pass_token(a, me, choose(a, me, false));
}

void carry_out_stop(arena& a) noexcept {
  const auto task = a.schedule.stop_due;
  a.schedule.stop_due = no_task;
  const auto process = process_of(a, task);
  const auto pid = a[process].pid.load();
  sys::call(SYS_kill, pid, a.schedule.stop_signal);
  await_stop(a, process);
}

}  // namespace forkloom::execution::signals

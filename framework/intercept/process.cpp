// Processes that tasks make, wait for, and end.
//
// Resource: the children of a process, whichever of its threads made them or waits for them. A fork
// adds one, a wait takes one away.
// Blocks: the waits, while no child that was asked for has died, or stopped, or gone on.
// Signals interrupt them.
// Releases: the death of a child; see scheduler.hpp.
// A vfork runs as a fork: it may be used for nothing that a fork could not do.
// Async-signal-safe, where libc's own function is.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "framework/execution/call.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/task_life.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/process.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::arena;
using execution::controlled;
using execution::controlled_call;
using execution::wake;

constinit next<void(int)> real_exit{"_exit"};
constinit next<decltype(::fork)> real_fork{"fork"};
constinit next<decltype(::waitid)> real_waitid{"waitid"};
constinit next<decltype(::wait4)> real_wait4{"wait4"};

arena& this_arena() noexcept { return *execution::current_arena(); }

resource_id own_children() noexcept {
  return execution::children_of(this_arena(), execution::self());
}

// "<parent>/<n>" for its nth child.
class child_name {
 public:
  child_name(const arena& a, task_id parent) noexcept {
    const std::string_view base(a.details[index(parent)].name.data());
    constexpr std::size_t room_for_number = 6;
    const auto length = std::min(base.size(), text_.size() - room_for_number);
    std::copy_n(base.begin(), length, text_.begin());
    unsigned number = 1;
    for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
      if (a.tasks[i].parent == parent && a.tasks[i].process == task_id(i)) ++number;
    text_[length] = '/';
    const auto end =
        std::to_chars(text_.data() + length + 1, text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }

  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 31> text_{};
  std::size_t size_ = 0;
};

// In the child: it is enabled, and sleeps until the strategy picks it.
void begin_child(arena& a, task_id child) noexcept {
  a[child].pid.store(static_cast<pid_t>(sys::call(SYS_getpid)));
  a.details[index(child)].thread.handle = pthread_self();
  execution::begin_life(child);
}

// In the parent: the controller must watch the child before anybody runs who could end it.
void announce_birth(arena& a, task_id child) noexcept {
  auto& mail = a.controller;
  mail.newborn.store(static_cast<std::uint32_t>(index(child)));
  const auto births = mail.births.fetch_add(1) + 1;
  execution::ring(mail);
  for (auto seen = mail.birth_acknowledged.load(); seen != births;
       seen = mail.birth_acknowledged.load())
    sys::futex_wait(mail.birth_acknowledged, seen);
}

pid_t fork_task(const void* site) noexcept {
  auto& a = this_arena();
  const auto parent = a[execution::self()].process;
  controlled_call call{operation::fork, own_children(), site};
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  // The child begins with signals held back, until it is picked: others may send it some before.
  execution::signals::hold(a, execution::self());
  const auto child = execution::birth(a, execution::self(), child_name(a, parent).view());
  if (child == no_task) return call.failed(EAGAIN);
  pid_t pid = -1;
  {
    // Handlers of pthread_atfork run here, in both processes at a time.
    const execution::uncontrolled_section handlers;
    pid = real_fork();
  }
  if (pid == 0) {
    begin_child(a, child);
    return 0;
  }
  if (pid < 0) {
    const auto error = errno;
    execution::unborn(a, child);
    return call.failed(error);
  }
  a[child].pid.store(pid);
  announce_birth(a, child);
  return call.completed(pid, 0, index(child));
}

// The event's number `before` is 1 if the child is still there afterwards.
pid_t wait_for_child(pid_t pid, int* status, int options, rusage* usage,
                     const void* site) noexcept {
  controlled_call call{operation::wait_child, own_children(), site};
  int unasked = 0;
  if (status == nullptr) status = &unasked;
  for (;;) {
    const auto result =
        sys::call(SYS_wait4, pid, sys::address(status), options | WNOHANG, sys::address(usage));
    if (result < 0) return call.failed(static_cast<int>(-result));
    const auto found = static_cast<pid_t>(result);
    const bool lives = found != 0 && (WIFSTOPPED(*status) || WIFCONTINUED(*status));
    if (found != 0) return call.completed(found, lives ? 1 : 0, index(task_of(found)));
    if ((options & WNOHANG) != 0) return call.completed_unchanged(0);
    if (call.block() == wake::interrupted) return call.failed(EINTR);
  }
}

bool stays(const siginfo_t& found, int options) noexcept {
  return (options & WNOWAIT) != 0 || found.si_code == CLD_STOPPED ||
         found.si_code == CLD_CONTINUED || found.si_code == CLD_TRAPPED;
}

int wait_for_id(idtype_t type, id_t id, siginfo_t* info, int options, const void* site) noexcept {
  controlled_call call{operation::wait_child, own_children(), site};
  for (;;) {
    siginfo_t found{};
    const auto result = sys::call(SYS_waitid, type, id, sys::address(&found), options | WNOHANG, 0);
    if (result < 0) return call.failed(static_cast<int>(-result));
    const bool nobody = found.si_pid == 0;
    if (!nobody || (options & WNOHANG) != 0) {
      if (info != nullptr) *info = found;
      if (nobody)
        call.completed_unchanged(0);
      else
        call.completed(found.si_pid, stays(found, options) ? 1 : 0, index(task_of(found.si_pid)));
      return 0;
    }
    if (call.block() == wake::interrupted) return call.failed(EINTR);
  }
}

// exit() and the return from main() flush the streams last and then trap. Where nothing traps, they
// end here, after the handlers of the program's own.
[[gnu::destructor]] void leave() noexcept {
  if (controlled() && execution::trap_selector == execution::trap_off) execution::announce_exit();
}

// And so does quick_exit(), whose handlers run in reverse order, and this is the first one.
[[gnu::constructor]] void await_quick_exit() noexcept { ::at_quick_exit(leave); }

}  // namespace

pid_t fork_as_task(const void* site) noexcept { return fork_task(site); }

pid_t await_child(pid_t pid, int* status, int options, const void* site) noexcept {
  return wait_for_child(pid, status, options, nullptr, site);
}

task_id task_of_process(pid_t pid) noexcept { return task_of(pid); }

// The kernel may give a pid again, so the youngest one counts.
task_id task_of(pid_t pid) noexcept {
  const auto& a = this_arena();
  for (auto i = a.schedule.task_count; i-- > 0;)
    if (a.tasks[i].process == task_id(i) && a.tasks[i].pid.load(std::memory_order_relaxed) == pid)
      return task_id(i);
  return no_task;
}

task_id thread_task(pid_t id) noexcept {
  const auto& a = this_arena();
  for (auto i = a.schedule.task_count; i-- > 0;)
    if (a.tasks[i].tid.load(std::memory_order_relaxed) == id) return task_id(i);
  return no_task;
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

void _exit(int code) {
  if (controlled()) execution::announce_exit();
  real_exit(code);
  __builtin_unreachable();
}

void _Exit(int code) noexcept {
  if (controlled()) execution::announce_exit();
  real_exit(code);
  __builtin_unreachable();
}

pid_t fork() noexcept {
  if (!controlled()) return real_fork();
  return fork_task(__builtin_return_address(0));
}

// Outside of an execution, too: the real one cannot be called from a function that returns.
pid_t vfork() noexcept {
  if (!controlled()) return real_fork();
  return fork_task(__builtin_return_address(0));
}

pid_t wait(int* status) {
  if (!controlled()) return real_wait4(-1, status, 0, nullptr);
  return wait_for_child(-1, status, 0, nullptr, __builtin_return_address(0));
}

pid_t wait3(int* status, int options, rusage* usage) noexcept {
  if (!controlled()) return real_wait4(-1, status, options, usage);
  return wait_for_child(-1, status, options, usage, __builtin_return_address(0));
}

pid_t wait4(pid_t pid, int* status, int options, rusage* usage) noexcept {
  if (!controlled()) return real_wait4(pid, status, options, usage);
  return wait_for_child(pid, status, options, usage, __builtin_return_address(0));
}

int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  if (!controlled()) return real_waitid(type, id, info, options);
  return wait_for_id(type, id, info, options, __builtin_return_address(0));
}

pid_t waitpid(pid_t pid, int* status, int options) {
  if (!controlled()) return real_wait4(pid, status, options, nullptr);
  return wait_for_child(pid, status, options, nullptr, __builtin_return_address(0));
}

}  // extern "C"

// posix_spawn: a fork and an exec, with what is to be done between them.
//
// Resource: the children of a process, as for a fork.
// Blocks: the parent, until the child has executed the program or failed to; that is how it knows.
// Releases: the child's exec, or its end.
// libc's own would make a process that nobody controls. A child that fails leaves no trace: the
// parent reaps it, as libc does.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/program.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/exec.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/process.hpp"

// What glibc keeps behind posix_spawn_file_actions_t, for which it has no functions to read it. The
// layout is part of its ABI, as programs and libc may be linked apart.
struct __spawn_action {
  enum class what : int { close, dup2, open, chdir, fchdir, closefrom, tcsetpgrp } tag;
  union {
    int fd;  // close, fchdir, closefrom, tcsetpgrp
    struct {
      int fd;
      int wanted;
    } dup2;
    struct {
      int fd;
      char* path;
      int flags;
      mode_t mode;
    } open;
    char* path;  // chdir
  };
};

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::posix_spawn)> real_posix_spawn{"posix_spawn", "GLIBC_2.15"};
constinit next<decltype(::posix_spawnp)> real_posix_spawnp{"posix_spawnp", "GLIBC_2.15"};

struct order {
  const char* program;
  const posix_spawn_file_actions_t* actions;
  const posix_spawnattr_t* attributes;
  char* const* arguments;
  char* const* environment;
  bool along_path;
};

// Calls that return -1 and set errno: the error number, or 0.
int error_of(int result) noexcept { return result < 0 ? errno : 0; }

int open_as(int wanted, const char* path, int flags, mode_t mode) noexcept {
  ::close(wanted);
  const int fd = ::open(path, flags, mode);
  if (fd < 0 || fd == wanted) return error_of(fd);
  const int error = error_of(::dup2(fd, wanted));
  ::close(fd);
  return error;
}

// A descriptor duplicated onto itself is one that the program shall have.
int duplicate(int fd, int wanted) noexcept {
  if (fd != wanted) return error_of(::dup2(fd, wanted));
  const int flags = ::fcntl(fd, F_GETFD);
  return flags < 0 ? errno : error_of(::fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC));
}

int carry_out(const __spawn_action& action) noexcept {
  using what = __spawn_action::what;
  switch (action.tag) {
    case what::close:
      ::close(action.fd);  // one that is not open is as good as closed
      return 0;
    case what::dup2:
      return duplicate(action.dup2.fd, action.dup2.wanted);
    case what::open:
      return open_as(action.open.fd, action.open.path, action.open.flags, action.open.mode);
    case what::chdir:
      return error_of(::chdir(action.path));
    case what::fchdir:
      return error_of(::fchdir(action.fd));
    case what::closefrom:
      ::closefrom(action.fd);
      return 0;
    case what::tcsetpgrp:
      return error_of(::tcsetpgrp(action.fd, ::getpgrp()));
  }
  return EINVAL;
}

int carry_out(const posix_spawn_file_actions_t& actions) noexcept {
  for (int i = 0; i < actions.__used; ++i)
    if (const int error = carry_out(actions.__actions[i]); error != 0) return error;
  return 0;
}

int reset_ids() noexcept {
  const auto user = sys::call(SYS_setresuid, -1, sys::call(SYS_getuid), -1);
  const auto group = sys::call(SYS_setresgid, -1, sys::call(SYS_getgid), -1);
  return static_cast<int>(user < 0 ? -user : -group);
}

void set_defaults(const posix_spawnattr_t& attributes) noexcept {
  sigset_t signals;
  ::posix_spawnattr_getsigdefault(&attributes, &signals);
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal)
    if (::sigismember(&signals, signal) == 1) ::sigaction(signal, &action, nullptr);
}

int set_scheduling(const posix_spawnattr_t& attributes, short flags) noexcept {
  sched_param parameters{};
  ::posix_spawnattr_getschedparam(&attributes, &parameters);
  if ((flags & POSIX_SPAWN_SETSCHEDULER) == 0)
    return (flags & POSIX_SPAWN_SETSCHEDPARAM) != 0 ? error_of(::sched_setparam(0, &parameters))
                                                    : 0;
  int policy = 0;
  ::posix_spawnattr_getschedpolicy(&attributes, &policy);
  return error_of(::sched_setscheduler(0, policy, &parameters));
}

int set_group(const posix_spawnattr_t& attributes) noexcept {
  pid_t group = 0;
  ::posix_spawnattr_getpgroup(&attributes, &group);
  return error_of(::setpgid(0, group));
}

// In the order in which POSIX lists them.
int apply(const posix_spawnattr_t& attributes) noexcept {
  short flags = 0;
  ::posix_spawnattr_getflags(&attributes, &flags);
  if ((flags & POSIX_SPAWN_SETSIGDEF) != 0) set_defaults(attributes);
  int error = set_scheduling(attributes, flags);
  if (error == 0 && (flags & POSIX_SPAWN_SETSID) != 0) error = error_of(::setsid());
  if (error == 0 && (flags & POSIX_SPAWN_SETPGROUP) != 0) error = set_group(attributes);
  if (error == 0 && (flags & POSIX_SPAWN_RESETIDS) != 0) error = reset_ids();
  return error;
}

void set_mask(const posix_spawnattr_t& attributes) noexcept {
  short flags = 0;
  ::posix_spawnattr_getflags(&attributes, &flags);
  if ((flags & POSIX_SPAWN_SETSIGMASK) == 0) return;
  sigset_t signals;
  ::posix_spawnattr_getsigmask(&attributes, &signals);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
}

// The parent learns of the outcome before the program begins, and cannot act on it any earlier: the
// child has the token.
void tell_parent(int outcome) noexcept {
  auto& a = *execution::current_arena();
  const auto me = a[execution::self()].process;
  a.details[index(me)].spawn_outcome = outcome;
  execution::changed(execution::children_of(a, a[me].parent));
}

int execute(const order& what, const void* site) noexcept {
  const auto program = execution::program_called(what.program);
  controlled_call call{operation::exec, program, site};
  tell_parent(0);
  const int error = what.along_path
                        ? search_and_execute(what.program, what.arguments, what.environment,
                                             when_no_program::fail, site)
                        : execution::execute_program(AT_FDCWD, what.program, what.arguments,
                                                     what.environment, 0, program, site);
  call.failed(error);
  return error;
}

[[noreturn]] void be_child(const order& what, const void* site) noexcept {
  int error = what.attributes != nullptr ? apply(*what.attributes) : 0;
  if (error == 0 && what.actions != nullptr) error = carry_out(*what.actions);
  if (error == 0 && what.attributes != nullptr) set_mask(*what.attributes);
  if (error == 0) error = execute(what, site);
  tell_parent(error);
  ::_exit(127);
}

// The error number, or 0 once the program has been executed. A child that was killed before had no
// outcome; libc takes that for success, too, and a wait will tell.
int await_outcome(task_id child, const void* site) noexcept {
  auto& a = *execution::current_arena();
  const auto& outcome = a.details[index(child)].spawn_outcome;
  auto call = controlled_call::silent(operation::wait_child,
                                      execution::children_of(a, execution::self()), site);
  while (outcome == execution::task_details::spawn_pending && !a[child].process_ended) call.block();
  return outcome == execution::task_details::spawn_pending ? 0 : outcome;
}

int spawn(pid_t* pid, const order& what, const void* site) noexcept {
  const auto before = errno;
  const auto made = fork_as_task(site);
  if (made == 0) be_child(what, site);
  int error = made < 0 ? errno : await_outcome(task_of_process(made), site);
  if (made > 0 && error != 0)
    while (await_child(made, nullptr, 0, site) < 0 && errno == EINTR) continue;
  if (error == 0 && pid != nullptr) *pid = made;
  errno = before;
  return error;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const arguments[],
                char* const environment[]) {
  if (!controlled())
    return real_posix_spawn(pid, path, actions, attributes, arguments, environment);
  return spawn(pid, {path, actions, attributes, arguments, environment, false},
               __builtin_return_address(0));
}

int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const arguments[],
                 char* const environment[]) {
  if (!controlled())
    return real_posix_spawnp(pid, file, actions, attributes, arguments, environment);
  return spawn(pid, {file, actions, attributes, arguments, environment, true},
               __builtin_return_address(0));
}

}  // extern "C"

// Shell commands and daemons: what libc makes of forks and execs that cannot be seen from outside.
//
// Resource: the children of a process; of popen() a pipe besides.
// Blocks: system() and pclose(), until the shell has ended.
// Releases: pclose() closes its end of the pipe; daemon() ends the calling process.
// Not async-signal-safe, as libc's own are not.
#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/process.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::daemon)> real_daemon{"daemon"};
constinit next<decltype(::fclose)> real_fclose{"fclose"};
constinit next<decltype(::pclose)> real_pclose{"pclose"};
constinit next<decltype(::popen)> real_popen{"popen"};
constinit next<decltype(::system)> real_system{"system"};

// The streams of popen() that are open, with their shells. The process's own; a fork copies it.
struct conversation {
  FILE* stream = nullptr;
  pid_t shell = 0;
};
constinit std::array<conversation, 256> conversations{};

conversation* conversation_of(const FILE* stream) noexcept {
  auto* found = std::find_if(conversations.begin(), conversations.end(),
                             [&](const auto& c) { return c.stream == stream; });
  return found == conversations.end() ? nullptr : found;
}

int wait_for_shell(pid_t shell, const void* site) noexcept {
  int status = -1;
  pid_t ended = 0;
  do ended = await_child(shell, &status, 0, site);
  while (ended < 0 && errno == EINTR);
  return ended < 0 ? -1 : status;
}

[[noreturn]] void be_shell(const char* command) noexcept {
  ::execl(_PATH_BSHELL, "sh", "-c", "--", command, nullptr);
  ::_exit(127);
}

// While a shell command runs, its caller ignores the keyboard's signals and hears of no child.
class signals_of_system {
 public:
  signals_of_system() noexcept {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGINT, &ignore, &interrupt_);
    ::sigaction(SIGQUIT, &ignore, &quit_);
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, &mask_);
  }
  ~signals_of_system() { restore(); }
  signals_of_system(const signals_of_system&) = delete;
  signals_of_system& operator=(const signals_of_system&) = delete;

  void restore() const noexcept {
    ::sigaction(SIGINT, &interrupt_, nullptr);
    ::sigaction(SIGQUIT, &quit_, nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  struct sigaction interrupt_ {};
  struct sigaction quit_ {};
  sigset_t mask_{};
};

int run_shell(const char* command, const void* site) noexcept {
  const signals_of_system signals;
  const auto shell = fork_as_task(site);
  if (shell == 0) {
    signals.restore();
    be_shell(command);
  }
  return shell < 0 ? -1 : wait_for_shell(shell, site);
}

struct popen_mode {
  bool valid = false;
  bool reads = false;
  bool close_on_exec = false;
};

popen_mode mode_of(const char* text) noexcept {
  popen_mode mode;
  int directions = 0;
  for (; *text != '\0'; ++text) {
    if (*text != 'r' && *text != 'w' && *text != 'e') return {};
    if (*text == 'e') mode.close_on_exec = true;
    if (*text == 'r') mode.reads = true;
    if (*text != 'e') ++directions;
  }
  mode.valid = directions == 1;
  return mode;
}

// In the child. POSIX: streams of earlier popen() calls are closed in there.
[[noreturn]] void be_other_side(int end, const popen_mode& mode, const char* command) noexcept {
  for (const auto& c : conversations)
    if (c.stream != nullptr) ::close(::fileno(c.stream));
  const int wanted = mode.reads ? STDOUT_FILENO : STDIN_FILENO;
  if (end == wanted)
    ::fcntl(end, F_SETFD, 0);
  else
    ::dup2(end, wanted);
  be_shell(command);
}

FILE* open_conversation(const char* command, const char* text, const void* site) noexcept {
  const auto mode = mode_of(text);
  auto* place = conversation_of(nullptr);
  if (!mode.valid || place == nullptr) {
    errno = mode.valid ? EMFILE : EINVAL;
    return nullptr;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return nullptr;
  const int mine = ends[mode.reads ? 0 : 1];
  const int theirs = ends[mode.reads ? 1 : 0];
  FILE* stream = ::fdopen(mine, mode.reads ? "r" : "w");
  const auto shell = stream == nullptr ? -1 : fork_as_task(site);
  if (shell == 0) be_other_side(theirs, mode, command);
  const auto error = errno;
  ::close(theirs);
  if (shell < 0) {
    if (stream != nullptr)
      ::fclose(stream);
    else
      ::close(mine);
    errno = error;
    return nullptr;
  }
  if (!mode.close_on_exec) ::fcntl(mine, F_SETFD, 0);
  *place = {stream, shell};
  return stream;
}

int close_conversation(conversation& c, const void* site) noexcept {
  const auto shell = c.shell;
  FILE* stream = c.stream;
  c = {};
  ::fflush(stream);
  // libc closes the descriptor where nobody sees it.
  const int fd = ::fileno(stream);
  controlled_call call{operation::close, resource_of(fd), site};
  real_fclose(stream);
  call.completed(0, static_cast<std::uint64_t>(fd));
  return wait_for_shell(shell, site);
}

int become_daemon(bool keep_directory, bool keep_streams, const void* site) noexcept {
  const auto child = fork_as_task(site);
  if (child < 0) return -1;
  if (child > 0) ::_exit(0);
  if (::setsid() < 0) return -1;
  if (!keep_directory && ::chdir("/") != 0) return -1;
  if (keep_streams) return 0;
  const auto null = sys::call(SYS_openat, AT_FDCWD, sys::address(_PATH_DEVNULL), O_RDWR);
  if (null < 0) {
    errno = static_cast<int>(-null);
    return -1;
  }
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::dup2(static_cast<int>(null), stream);
  if (null > STDERR_FILENO) sys::call(SYS_close, null);
  return 0;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int daemon(int keep_directory, int keep_streams) noexcept {
  if (!controlled()) return real_daemon(keep_directory, keep_streams);
  return become_daemon(keep_directory != 0, keep_streams != 0, __builtin_return_address(0));
}

int pclose(FILE* stream) {
  auto* known = controlled() && stream != nullptr ? conversation_of(stream) : nullptr;
  if (known == nullptr) return real_pclose(stream);
  return close_conversation(*known, __builtin_return_address(0));
}

FILE* popen(const char* command, const char* mode) {
  if (!controlled()) return real_popen(command, mode);
  return open_conversation(command, mode, __builtin_return_address(0));
}

int system(const char* command) {
  if (!controlled()) return real_system(command);
  const auto* site = __builtin_return_address(0);
  if (command == nullptr) return run_shell("exit 0", site) == 0 ? 1 : 0;
  return run_shell(command, site);
}

}  // extern "C"

#include "framework/execution/process_tree.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

namespace forkloom::execution {
namespace {

// A status from siginfo_t (waitid) in the form of waitpid.
int status_of(const siginfo_t& info) noexcept {
  if (info.si_code == CLD_EXITED) return (info.si_status & 0xff) << 8;
  return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

// proc(5), stat: the last of the 52 fields is the exit status in the form of waitpid.
int status_in_proc(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(in, line);
  const auto last = line.find_last_of(' ');
  return last == std::string::npos ? 0 : std::atoi(line.c_str() + last + 1);
}

void kill_children_of(pid_t parent) {
  std::ifstream in(fmt::format("/proc/{}/task/{}/children", parent, parent));
  for (pid_t child = 0; in >> child;) {
    kill_children_of(child);
    ::kill(child, SIGKILL);
  }
}

}  // namespace

int exit_status(pid_t pid, int pidfd) noexcept {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
      info.si_pid != 0)
    return status_of(info);
  return status_in_proc(pid);
}

void kill_and_reap_descendants() noexcept {
  for (;;) {
    const auto pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid > 0 || (pid < 0 && errno == EINTR)) continue;
    if (pid < 0) return;  // ECHILD: none is left
    // Somebody lives. Whoever was told to die does so soon; whoever was not is told now.
    kill_children_of(::getpid());
    ::waitpid(-1, nullptr, 0);
  }
}

}  // namespace forkloom::execution

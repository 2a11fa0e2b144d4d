#include "framework/execution/parent_death.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

// "/proc/PID/status"
std::array<char, 32> status_path(pid_t pid) noexcept {
  std::array<char, 32> path{};
  constexpr std::string_view folder = "/proc/";
  constexpr std::string_view file = "/status";
  auto* at = std::copy(folder.begin(), folder.end(), path.data());
  at = std::to_chars(at, path.data() + path.size() - file.size() - 1, pid).ptr;
  std::copy(file.begin(), file.end(), at);
  return path;
}

// Is the signal in the set of that name there ("SigIgn:\t0000000000001000")?
bool is_in(std::string_view status, std::string_view set, int signal) noexcept {
  const auto at = status.find(set);
  if (at == std::string_view::npos) return false;
  const auto digits = status.substr(at + set.size() + 2, 16);
  std::uint64_t bits = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  return (bits >> (signal - 1) & 1) != 0;
}

bool ends_by_default(int signal) noexcept {
  constexpr std::array<int, 8> harmless{SIGCHLD, SIGCONT, SIGURG,  SIGWINCH,
                                        SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
  return std::find(harmless.begin(), harmless.end(), signal) == harmless.end();
}

// Does the process die of that signal? A zombie's sets tell nothing, and it has died.
bool dies_of(pid_t pid, int signal) noexcept {
  if (signal == SIGKILL) return true;
  if (!ends_by_default(signal)) return false;
  const auto path = status_path(pid);
  const auto fd = sys::call(SYS_openat, AT_FDCWD, sys::address(path.data()), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 4096> text;  // NOLINT: filled by read
  const auto got = sys::call(SYS_read, fd, sys::address(text.data()), text.size());
  sys::call(SYS_close, fd);
  const std::string_view status(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return !is_in(status, "SigBlk", signal) && !is_in(status, "SigIgn", signal) &&
         !is_in(status, "SigCgt", signal);
}

void await_zombie(pid_t pid) noexcept {
  const auto fd = static_cast<int>(sys::call(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;
  const pollfd end{.fd = fd, .events = POLLIN, .revents = 0};
  while (sys::call(SYS_poll, sys::address(&end), 1, -1) == -EINTR) continue;
  sys::call(SYS_close, fd);
}

// It is caught, blocked or ignored, or stops the process.
void take_death_signal(arena& a, task_id child, task_id parent, int signal) noexcept {
  if (signals::stops(a, child, signal)) {
    signals::await_stop(a, child);
    return signals::stopped(a, child);
  }
  auto* e = append_event(a, parent, operation::signal_send, signals::resource_of(a, child, signal),
                         outcome::completed);
  if (e != nullptr) {
    e->before = static_cast<std::uint64_t>(signal);
    e->after = index(child) + 1;
  }
  signals::arrived(a, child, no_task, signal);
}

}  // namespace

// The kernel has sent the signal before its sender was a zombie.
void end_orphans(arena& a, task_id process) noexcept {
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto child = task_id(i);
    auto& signal = a.details[i].parent_death_signal;
    if (signal == 0 || a[child].process != child || a[child].parent != process) continue;
    if (a[child].process_ended) continue;
    const auto pid = a[child].pid.load();
    if (dies_of(pid, signal)) {
      await_zombie(pid);
      death(a, child, signal);
    } else {
      take_death_signal(a, child, process, signal);
    }
  }
}

}  // namespace forkloom::execution

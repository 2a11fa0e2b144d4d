// What the families of pipes, FIFOs, descriptors and polls ask about a descriptor. All of it is
// asked with raw system calls: errno stays the caller's. Async-signal-safe.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::intercept {

// Is it an end of a pipe or an open FIFO?
[[nodiscard]] inline bool is_pipe(int fd) noexcept {
  struct stat status {};
  return execution::sys::call(SYS_fstat, fd, execution::sys::address(&status)) == 0 &&
         S_ISFIFO(status.st_mode);
}

using execution::is_message_queue;

// Is it a socket?
[[nodiscard]] inline bool is_socket(int fd) noexcept {
  struct stat status {};
  return execution::sys::call(SYS_fstat, fd, execution::sys::address(&status)) == 0 &&
         S_ISSOCK(status.st_mode);
}

// The pipe, FIFO, message queue, socket or file behind it; no_resource if it is not open.
[[nodiscard]] inline resource_id resource_of(int fd) noexcept {
  return execution::resource_of(fd, resource_kind::file);
}

// What whoever waits for a descriptor to become ready waits for. With neither it never changes.
struct readiness {
  resource_id resource = no_resource;  // each change of it may have made the descriptor ready
  bool outside = false;                // something else may, that Forkloom does not schedule
};
[[nodiscard]] readiness readiness_of(int fd) noexcept;

// What poll(2) says of it now.
[[nodiscard]] inline short ready(int fd, short events) noexcept {
  pollfd one{fd, events, 0};
  execution::sys::call(SYS_poll, execution::sys::address(&one), 1, 0);
  return one.revents;
}

// The access mode and the status flags; negative if it is not open.
[[nodiscard]] inline int status_flags(int fd) noexcept {
  return static_cast<int>(execution::sys::call(SYS_fcntl, fd, F_GETFL));
}

inline void set_status_flags(int fd, int flags) noexcept {
  execution::sys::call(SYS_fcntl, fd, F_SETFL, flags);
}

// One attempt that cannot block: it is made with O_NONBLOCK set for its duration.
template <class Attempt>
auto without_blocking(int fd, int flags, Attempt attempt) noexcept {
  set_status_flags(fd, flags | O_NONBLOCK);
  const auto result = attempt();
  set_status_flags(fd, flags);
  return result;
}

// A descriptor that does not block anyway, or is not open for this access, answers for itself.
[[nodiscard]] inline bool answers_at_once(int flags, int wrong_access) noexcept {
  return flags < 0 || (flags & O_NONBLOCK) != 0 || (flags & O_ACCMODE) == wrong_access;
}

// close(2) in a task, whatever is behind the descriptor.
int close_descriptor(int fd, const void* site) noexcept;

// Writes the event of a call that returned -1 or a result, with errno as the real call left it.
template <class Result>
Result ended(execution::controlled_call& call, Result result, int error) noexcept {
  if (result < 0) return call.failed(error);
  return call.completed(result);
}

}  // namespace forkloom::intercept

// How long a call on a socket waits, and for what. Async-signal-safe; errno stays the caller's.
#pragma once

#include <sys/time.h>

#include <cerrno>
#include <cstdint>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/socket_peers.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {

// SO_RCVTIMEO or SO_SNDTIMEO as a deadline from now. The attempts never wait, so the socket itself
// may keep the time-out that the program has set.
[[nodiscard]] inline std::uint64_t deadline_by_option(int fd, int option) noexcept {
  timeval timeout{};
  socklen_t size = sizeof timeout;
  execution::sys::call(SYS_getsockopt, fd, SOL_SOCKET, option, execution::sys::address(&timeout),
                       execution::sys::address(&size));
  if (timeout.tv_sec == 0 && timeout.tv_usec == 0) return execution::no_deadline;
  return deadline_after({timeout.tv_sec, timeout.tv_usec * 1000});
}

// The patience of one call: decided when it is made, as the kernel does.
class patience {
 public:
  // option: SO_RCVTIMEO or SO_SNDTIMEO. answers_at_once: a flag of the call forbids it to wait.
  patience(int fd, int option, bool answers_at_once) noexcept
      : waits_(!answers_at_once && (status_flags(fd) & O_NONBLOCK) == 0),
        deadline_(waits_ ? deadline_by_option(fd, option) : 0) {}

  [[nodiscard]] bool waits() const noexcept { return waits_; }

  // Waits for a change of the resource. 0 if there may be one, else why the call ends: EAGAIN, as
  // there is no time left, or never was; EINTR, if the handler of a signal has run: with a time-out
  // SA_RESTART does not help.
  // outside: it may also come from somebody whom Forkloom does not schedule.
  int wait(execution::controlled_call& call, resource_id resource, bool outside) const noexcept {
    if (!waits_) return EAGAIN;
    const auto cause =
        outside ? call.watch({&resource, 1}, deadline_) : call.block_on({&resource, 1}, deadline_);
    handler_ran_ |= cause == execution::wake::interrupted || cause == execution::wake::restarted;
    if (cause == execution::wake::interrupted ||
        (cause == execution::wake::restarted && deadline_ != execution::no_deadline))
      return EINTR;
    return cause == execution::wake::timed_out ? EAGAIN : 0;
  }

  // Has a handler run while the call waited? Then it returns what it has, if it has anything.
  [[nodiscard]] bool handler_ran() const noexcept { return handler_ran_; }

 private:
  bool waits_;
  std::uint64_t deadline_;
  mutable bool handler_ran_ = false;
};

}  // namespace forkloom::intercept

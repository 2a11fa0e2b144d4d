// How tasks call the controller, which sleeps in epoll_wait on the other end of a pipe.
//
// A task may close descriptors that it does not know of (daemons close them all), use their numbers
// for its own, or lose them when it executes a program. So the descriptor is used while it is still
// the one that it was, and else the pipe is opened anew, by way of the controller's own descriptor
// in /proc. Async-signal-safe.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace forkloom::execution {

struct mailbox {
  int fd = -1;    // to write into; inherited over fork
  pid_t pid = 0;  // the controller, which is the parent of all tasks that no task has forked
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::array<char, 40> path{};  // the same from outside of the controller: "/proc/1/fd/5"

  std::atomic<std::uint32_t> birth_acknowledged{0};  // futex word: counts births that are watched
  std::atomic<std::uint32_t> births{0};              // nested forks so far
  std::atomic<std::uint32_t> newborn{0};             // the task to watch
  std::atomic<std::uint32_t> unnoticed_deaths{
      0};  // tasks with `died` set that still count as living
};

// In the controller: letters are written into that descriptor of its own.
void place(mailbox& box, int fd) noexcept;

// Wakes the controller.
void ring(const mailbox& box) noexcept;

// "/proc/PID/fd/FD" of this process, as far as it fits.
void name_own_descriptor(int fd, std::array<char, 40>& path) noexcept;

}  // namespace forkloom::execution

// What /proc says of the files that a process has open, and of the locks on them. For the
// controller, while the tasks are suspended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "framework/execution/arena.hpp"
#include "framework/trace/record_range.hpp"

namespace forkloom::execution {

// The access mode in which a process has that object open, as O_RDONLY, O_WRONLY or O_RDWR; both
// ends of a pipe make O_RDWR. Nothing if it is not open at all.
[[nodiscard]] std::optional<int> open_mode(pid_t pid, std::uint64_t object);

// Has the process that eventfd open, or any timerfd, or any epoll? Those look all the same.
[[nodiscard]] bool has_open(pid_t pid, const resource& source);

struct proc_lock {
  std::string sort;  // "POSIX", "OFDLCK" or "FLOCK"
  bool shared = false;
  record_range range;
};

// Calls visit for all locks on the object that a process owns, or an open file of its does.
void for_each_lock(pid_t pid, std::uint64_t object,
                   const std::function<void(const proc_lock&)>& visit);

}  // namespace forkloom::execution

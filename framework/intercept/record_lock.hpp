// What descriptors ask of the record locks. Async-signal-safe.
#pragma once

#include <fcntl.h>

#include "framework/execution/call.hpp"

namespace forkloom::intercept {

[[nodiscard]] constexpr bool is_record_command(int command) noexcept {
  switch (command) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return true;
    default:
      return false;
  }
}

// fcntl(fd, command, asked) of a task, with one of these commands.
int control_records(int fd, int command, struct flock* asked, const void* site) noexcept;

// Does the calling process own record locks on the file? So at the latest until it has closed any
// descriptor of it.
[[nodiscard]] bool owns_records(resource_id records) noexcept;

// It has closed one.
void close_process_records(resource_id records) noexcept;

// An open file that owned record locks has lost a descriptor, maybe its last.
void close_open_file_records(resource_id records) noexcept;

}  // namespace forkloom::intercept

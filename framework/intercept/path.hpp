// Which resource does a path name? Raw system calls only: errno stays the caller's.
// Async-signal-safe.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "framework/execution/identity.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::intercept {

// Does it name a FIFO, at the end of all symbolic links?
[[nodiscard]] inline bool names_fifo(int directory, const char* path) noexcept {
  struct stat status {};
  return execution::sys::call(SYS_newfstatat, directory, execution::sys::address(path),
                              execution::sys::address(&status), 0) == 0 &&
         S_ISFIFO(status.st_mode);
}

// The resource of the inode that it names; no_resource if there is none.
// follow: 0, or O_NOFOLLOW for the link itself.
[[nodiscard]] inline resource_id resource_at_path(int directory, const char* path,
                                                  resource_kind kind, int follow = 0) noexcept {
  const auto fd = static_cast<int>(execution::sys::call(
      SYS_openat, directory, execution::sys::address(path), O_PATH | O_CLOEXEC | follow));
  if (fd < 0) return no_resource;
  const auto found = execution::resource_of(fd, kind);
  execution::sys::call(SYS_close, fd);
  return found;
}

}  // namespace forkloom::intercept

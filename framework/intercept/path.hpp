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

// Is anything there, if only a link to nothing?
[[nodiscard]] inline bool names_anything(int directory, const char* path) noexcept {
  struct stat status {};
  return execution::sys::call(SYS_newfstatat, directory, execution::sys::address(path),
                              execution::sys::address(&status), AT_SYMLINK_NOFOLLOW) == 0;
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

// The FIFO that it names without following a link; no_resource if it is none.
[[nodiscard]] inline resource_id fifo_itself(int directory, const char* path) noexcept {
  struct stat status {};
  const auto known = execution::sys::call(SYS_newfstatat, directory, execution::sys::address(path),
                                          execution::sys::address(&status), AT_SYMLINK_NOFOLLOW);
  if (known != 0 || !S_ISFIFO(status.st_mode)) return no_resource;
  return resource_at_path(directory, path, resource_kind::fifo, O_NOFOLLOW);
}

// Is there something at that place which a task made, and only one could? See directory.cpp.
[[nodiscard]] bool made_alone(resource_id entry) noexcept;
void set_made_alone(resource_id entry, bool made) noexcept;

}  // namespace forkloom::intercept

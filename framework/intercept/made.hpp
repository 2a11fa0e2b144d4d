// What an open, or its like, is asked to make, for its event. Asked with raw system calls: errno
// stays the caller's. Async-signal-safe.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "framework/execution/sys.hpp"
#include "framework/trace/making.hpp"

namespace forkloom::intercept {

// flags: as for open(2). The umask can only be read by setting it; nobody else runs meanwhile.
[[nodiscard]] inline making asked_to_make(int flags, mode_t mode) noexcept {
  if ((flags & O_CREAT) == 0) return {};
  const auto mask = execution::sys::call(SYS_umask, 0777);
  execution::sys::call(SYS_umask, mask);
  return {.may_make = true,
          .must_make = (flags & O_EXCL) != 0,
          .mode = static_cast<std::uint32_t>(mode & ~static_cast<mode_t>(mask) & 07777)};
}

}  // namespace forkloom::intercept

// Arguments that a system call takes by pointer. The kernel says EFAULT where there is no memory,
// so they are copied by the kernel, too. Async-signal-safe.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstring>

#include "framework/execution/sys.hpp"

namespace forkloom::intercept {

// False if the memory is not there. A kernel that is told to forbid this way of copying leaves only
// the trust that it is.
[[nodiscard]] inline bool copy_from_user(void* to, long from, std::size_t size) noexcept {
  namespace sys = execution::sys;
  const iovec here{to, size};
  const iovec there{reinterpret_cast<void*>(from), size};  // NOLINT: arguments are numbers
  const auto copied = sys::call(SYS_process_vm_readv, sys::call(SYS_getpid), sys::address(&here), 1,
                                sys::address(&there), 1, 0);
  if (copied >= 0) return static_cast<std::size_t>(copied) == size;
  if (copied == -EFAULT) return false;
  std::memcpy(to, there.iov_base, size);
  return true;
}

}  // namespace forkloom::intercept

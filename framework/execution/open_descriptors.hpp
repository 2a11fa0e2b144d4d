// The descriptors that a process has open. Async-signal-safe: errno is left alone.
#pragma once

#include <dirent.h>
#include <fcntl.h>

#include <array>
#include <charconv>
#include <string_view>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {

// Calls visit(descriptor, folder) for each one in a folder like "/proc/1/fd", in their order. The
// second is the descriptor by which the folder is read.
template <class Visit>
void for_each_descriptor_in(const char* path, Visit&& visit) noexcept {
  const auto folder = static_cast<int>(
      sys::call(SYS_openat, AT_FDCWD, sys::address(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder < 0) return;
  alignas(dirent64) std::array<char, 2048> buffer;  // NOLINT: filled by getdents64
  for (;;) {
    const auto got = sys::call(SYS_getdents64, folder, sys::address(buffer.data()),
                               static_cast<long>(buffer.size()));
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);  // NOLINT
      at += entry->d_reclen;
      int descriptor = -1;
      const std::string_view name(entry->d_name);
      std::from_chars(name.data(), name.data() + name.size(), descriptor);
      if (descriptor >= 0) visit(descriptor, folder);
    }
  }
  sys::call(SYS_close, folder);
}

// The same for this process; visit may close the descriptor.
template <class Visit>
void for_each_descriptor(Visit&& visit) noexcept {
  for_each_descriptor_in("/proc/self/fd", [&](int descriptor, int folder) {
    if (descriptor != folder) visit(descriptor);
  });
}

}  // namespace forkloom::execution

// What read, write and their relatives do with an eventfd. Async-signal-safe.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <cstring>

namespace forkloom::intercept {

ssize_t read_eventfd(int fd, const iovec* parts, int count, const void* site) noexcept;
ssize_t write_eventfd(int fd, const iovec* parts, int count, const void* site) noexcept;

// The number that was moved by a call that went well; 0 if it lies in several parts.
[[nodiscard]] inline std::uint64_t number_in(const iovec* parts) noexcept {
  std::uint64_t number = 0;
  if (parts->iov_len >= sizeof number) std::memcpy(&number, parts->iov_base, sizeof number);
  return number;
}

}  // namespace forkloom::intercept

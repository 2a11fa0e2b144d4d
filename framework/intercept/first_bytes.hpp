// What is left of a transfer in parts when a fault cuts it short. Async-signal-safe; errno stays
// the caller's.
#pragma once

#include <limits.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "framework/execution/call.hpp"
#include "framework/intercept/readable.hpp"

namespace forkloom::intercept {

// How many bytes parts are that the kernel has not seen yet; 0 if it will refuse them. It moves no
// more than it can count in an int, in whole pages: read(2).
[[nodiscard]] inline std::size_t size_if_accepted(const iovec* parts, std::size_t count) noexcept {
  if (count > IOV_MAX || !readable(parts, count * sizeof *parts)) return 0;
  constexpr std::size_t most = 0x7fff'f000;
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (parts[i].iov_len > SSIZE_MAX) return 0;
    total = std::min(total + parts[i].iov_len, most);
  }
  return total;
}

// How many of so many bytes a fault lets pass; 0: it does not strike.
[[nodiscard]] inline std::size_t cut_of(execution::controlled_call& call,
                                        std::size_t size) noexcept {
  const auto part = call.part_of(size);
  return part < size ? part : 0;
}

// The first bytes of the parts, as parts. Of very many parts they are fewer than was asked for, as
// nothing is allocated here: a fault may cut a transfer anywhere.
class first_bytes {
 public:
  first_bytes() noexcept = default;
  first_bytes(const iovec* parts, std::size_t count, std::size_t size) noexcept {
    for (; count > 0 && size > 0 && count_ < parts_.size(); ++parts, --count) {
      if (parts->iov_len == 0) continue;
      auto& one = parts_[count_++];
      one = {parts->iov_base, std::min(parts->iov_len, size)};
      size -= one.iov_len;
    }
  }

  [[nodiscard]] iovec* data() noexcept { return parts_.data(); }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

 private:
  std::array<iovec, 16> parts_{};
  std::size_t count_ = 0;
};

}  // namespace forkloom::intercept

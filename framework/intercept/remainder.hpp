// Where a transfer in parts that was interrupted goes on.
#pragma once

#include <sys/uio.h>

#include <cstddef>

namespace forkloom::intercept {

class remainder {
 public:
  remainder(const iovec* parts, std::size_t count) noexcept : part_(parts), end_(parts + count) {
    skip(0);
  }

  void skip(std::size_t moved) noexcept {
    offset_ += moved;
    while (part_ != end_ && offset_ >= part_->iov_len) offset_ -= (part_++)->iov_len;
  }

  [[nodiscard]] bool empty() const noexcept { return part_ == end_; }

  // The rest of the part in which it stopped; the parts behind it have their turn later.
  [[nodiscard]] std::byte* data() const noexcept {
    return static_cast<std::byte*>(part_->iov_base) + offset_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return part_->iov_len - offset_; }

 private:
  const iovec* part_;
  const iovec* end_;
  std::size_t offset_ = 0;
};

}  // namespace forkloom::intercept

// Who has a socket open: all descriptors of it, in whatever task. Looked up in /proc, so only where
// it is seldom needed. Async-signal-safe; errno stays the caller's.
#pragma once

#include "framework/trace/ids.hpp"

namespace forkloom::intercept {

// How many descriptors of it there are in all tasks. One in a message on its way is not counted.
[[nodiscard]] unsigned holders_of(resource_id socket) noexcept;

// A descriptor of it for this process: one that it has, or else a copy of another task's, for as
// long as this lives.
class borrowed_socket {
 public:
  explicit borrowed_socket(resource_id socket) noexcept;
  ~borrowed_socket();
  borrowed_socket(const borrowed_socket&) = delete;
  borrowed_socket& operator=(const borrowed_socket&) = delete;

  // -1 if nobody has it, or the kernel does not allow to copy it.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
  bool is_copy_ = false;
};

}  // namespace forkloom::intercept

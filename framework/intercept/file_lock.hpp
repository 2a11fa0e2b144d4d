// What other families ask about the locks on a file. Async-signal-safe; errno stays the caller's.
#pragma once

#include <cstdint>
#include <string_view>

#include "framework/execution/call.hpp"

namespace forkloom::intercept {

// How proc(5) calls the locks that an open file description owns.
inline constexpr std::string_view flock_in_proc = "FLOCK ";
inline constexpr std::string_view open_file_record_in_proc = "OFDLCK";

// Does the open file behind the descriptor own a lock of that sort? The kernel's own word, as the
// lock may have been taken through a copy of the descriptor, or before a fork. If the kernel does
// not say: yes.
[[nodiscard]] bool open_file_owns(int fd, std::string_view sort) noexcept;

// The locks that the close of a descriptor takes away. To be made before it, and told after it.
class closing {
 public:
  // What the descriptor's close would take away now; nothing if it is not open.
  explicit closing(int fd) noexcept;

  // Could another task notice?
  [[nodiscard]] bool releases() const noexcept { return drops_ != 0; }

  // The bits of event::after, and the locks they tell of; see framework/trace/record_range.hpp.
  [[nodiscard]] std::uint64_t drops() const noexcept { return drops_; }
  [[nodiscard]] resource_id locks() const noexcept { return records_dropped_ ? records_ : flocks_; }

  // The descriptor is closed: whoever waited for one of these locks may try again.
  void happened() const noexcept;

 private:
  resource_id flocks_;
  resource_id records_;
  bool records_dropped_ = false;
  std::uint64_t drops_ = 0;
};

}  // namespace forkloom::intercept

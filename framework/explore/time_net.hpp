// Real time as the last resort: what it ends may end elsewhere the next time, so it has to be told.
#pragma once

#include <chrono>
#include <cstdint>

namespace forkloom::explore {

class time_net {
 public:
  // From now on; 0: none.
  explicit time_net(std::chrono::milliseconds length)
      : length_(length), until_(std::chrono::steady_clock::now() + length) {}

  // Has it come? Once it has, it stays so.
  [[nodiscard]] bool caught() {
    if (!caught_ && length_.count() > 0) caught_ = std::chrono::steady_clock::now() > until_;
    return caught_;
  }

  // Did anybody ask when it had come? Its length then, else 0.
  [[nodiscard]] std::uint64_t caught_after_ms() const noexcept {
    return caught_ ? static_cast<std::uint64_t>(length_.count()) : 0;
  }

 private:
  std::chrono::milliseconds length_;
  std::chrono::steady_clock::time_point until_;
  bool caught_ = false;
};

}  // namespace forkloom::explore

// Names of POSIX objects as reports show them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "framework/execution/resource_table.hpp"

namespace forkloom::intercept {

// sem_open and shm_open take "x" for "/x"; both are one object, so both get one name. Longer names
// than a resource can have are cut. Async-signal-safe.
class slashed_name {
 public:
  explicit slashed_name(std::string_view name) noexcept {
    text_[0] = '/';
    name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
    const auto length = std::min(name.size(), text_.size() - 1);
    std::copy_n(name.begin(), length, text_.begin() + 1);
    size_ = length + 1;
  }

  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, execution::resource_name_size - 1> text_{};
  std::size_t size_ = 0;
};

}  // namespace forkloom::intercept

// A line of source code. std::source_location would do, but clang 14 has it not.
#pragma once

#include <cstdint>

namespace forkloom {

struct source_place {
  const char* file;
  std::uint_least32_t line;

  // As a default argument: the place of the call.
  static constexpr source_place here(const char* file = __builtin_FILE(),
                                     std::uint_least32_t line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

}  // namespace forkloom

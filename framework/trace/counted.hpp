// Numbers of things, in words.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace forkloom {

// "1 step", "2 steps", "0 switches", "2 classes".
[[nodiscard]] inline std::string counted(std::uint64_t count, std::string_view what) {
  const auto* ending = count == 1 ? "" : what.ends_with('h') || what.ends_with('s') ? "es" : "s";
  return fmt::format("{} {}{}", count, what, ending);
}

}  // namespace forkloom

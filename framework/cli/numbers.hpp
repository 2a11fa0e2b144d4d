// Numbers and times as people type them. Everything throws usage_error, which names the option, the
// text and what is allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace forkloom::cli {

// Decimal, or hexadecimal after "0x".
[[nodiscard]] std::uint64_t parse_number(std::string_view option, std::string_view text,
                                         std::uint64_t least, std::uint64_t most);

// A whole number with a unit: "500ms", "30s", "5m", "2h"; from 1 ms to `most`.
[[nodiscard]] std::chrono::milliseconds parse_time(std::string_view option, std::string_view text,
                                                   std::chrono::milliseconds most);

}  // namespace forkloom::cli

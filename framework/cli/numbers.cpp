#include "framework/cli/numbers.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "forkloom/error.hpp"

namespace forkloom::cli {
namespace {

std::optional<std::uint64_t> whole(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

struct unit {
  std::string_view name;
  std::uint64_t milliseconds;
};

// "ms" before "s" and "m": the first that ends the text counts.
constexpr std::array<unit, 4> units{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};

std::optional<std::uint64_t> milliseconds(std::string_view text, std::uint64_t most) {
  for (const auto& u : units) {
    if (!text.ends_with(u.name)) continue;
    const auto count = whole(text.substr(0, text.size() - u.name.size()), 10);
    if (!count || *count == 0 || *count > most / u.milliseconds) return std::nullopt;
    return *count * u.milliseconds;
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t parse_number(std::string_view option, std::string_view text, std::uint64_t least,
                           std::uint64_t most) {
  const bool hexadecimal = text.starts_with("0x");
  const auto value = hexadecimal ? whole(text.substr(2), 16) : whole(text, 10);
  if (!value || *value < least || *value > most)
    throw usage_error(
        fmt::format("{}: '{}' must be a whole number from {} to {}", option, text, least, most));
  return *value;
}

std::chrono::milliseconds parse_time(std::string_view option, std::string_view text,
                                     std::chrono::milliseconds most) {
  const auto value = milliseconds(text, static_cast<std::uint64_t>(most.count()));
  if (!value)
    throw usage_error(fmt::format(
        "{}: '{}' must be a whole number with a unit (500ms, 30s, 5m, 2h), from 1ms to {}s", option,
        text, most.count() / 1'000));
  return std::chrono::milliseconds(*value);
}

}  // namespace forkloom::cli

#include "framework/report/display.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace forkloom::report {
namespace {

bool continues_code_point(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// The longest beginning of the text that is at most that wide.
std::string_view beginning(std::string_view text, std::size_t columns) noexcept {
  std::size_t seen = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (continues_code_point(text[at])) continue;
    if (seen == columns) return text.substr(0, at);
    ++seen;
  }
  return text;
}

std::size_t terminal_columns() {
  constexpr std::size_t least = 40;
  constexpr std::size_t most = 1'000;
  std::size_t columns = style{}.columns;
  // The callers are single-threaded commands.
  if (const char* wanted = std::getenv("COLUMNS")) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view digits = wanted;
    std::from_chars(digits.data(), digits.data() + digits.size(), columns);
  }
  return std::clamp(columns, least, most);
}

}  // namespace

style style_for(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  const bool refused = no_colour != nullptr && *no_colour != '\0';
  return {.columns = terminal_columns(), .colour = isatty(descriptor) == 1 && !refused};
}

std::size_t width(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_code_point(c); }));
}

std::string fit(std::string_view text, std::size_t columns) {
  const auto wide = width(text);
  if (wide <= columns) return std::string(text) + std::string(columns - wide, ' ');
  if (columns == 0) return {};
  return std::string(beginning(text, columns - 1)) + "…";
}

std::string harmless(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    if (control)
      clean += fmt::format("\\x{:02x}", byte);
    else
      clean += c;
  }
  return clean;
}

std::string tinted(std::string_view text, tint how, const style& look) {
  if (!look.colour) return std::string(text);
  const auto code = [how] {
    switch (how) {
      case tint::bold:
        return 1;
      case tint::dim:
        return 2;
      case tint::red:
        return 31;
      case tint::green:
        return 32;
      case tint::yellow:
        return 33;
    }
    return 0;
  }();
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace forkloom::report

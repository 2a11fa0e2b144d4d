// Text on a terminal: its width there, and bytes that must not reach it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace forkloom::report {

struct style {
  std::size_t columns = 120;  // width of a line
  bool colour = false;
  bool verbose = false;  // every step, all output
  // What stands before the token in the line that reproduces a failure; empty: no such line.
  std::string_view replay_with = "forkloom replay ";
};

// The style for a file descriptor: COLUMNS or 120 columns; colour on a terminal, unless NO_COLOR.
[[nodiscard]] style style_for(int descriptor);

// How many columns the text takes: one for each code point. Wide and combining characters are not
// known; a table with them is ragged, not wrong.
[[nodiscard]] std::size_t width(std::string_view text) noexcept;

// Padded with spaces, or cut with "…", to exactly that width.
[[nodiscard]] std::string fit(std::string_view text, std::size_t columns);

// The text without what could move a cursor or recolour a terminal: control characters other than
// newline and tab become \xNN.
[[nodiscard]] std::string harmless(std::string_view text);

enum class tint { bold, dim, red, green, yellow };
[[nodiscard]] std::string tinted(std::string_view text, tint how, const style& look);

}  // namespace forkloom::report

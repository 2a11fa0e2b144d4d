// Addresses in programs that tasks executed. Every process has its own, and most differ from run to
// run; a trace has them as (file, address in the file), packed into one number that is no address
// of any process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace forkloom {

struct module_address {
  std::size_t module = 0;     // index in trace::modules
  std::uint64_t in_file = 0;  // as the file's own headers and debug information count
};

// User space ends below this on x86-64.
inline constexpr unsigned module_shift = 47;

// Where no file is known: code that the program made while it ran.
inline constexpr std::size_t unknown_module = 0xffff;

[[nodiscard]] constexpr std::uint64_t pack(module_address what) noexcept {
  return (std::uint64_t{what.module + 1} << module_shift) | what.in_file;
}

[[nodiscard]] constexpr std::optional<module_address> unpack(std::uint64_t address) noexcept {
  const auto number = address >> module_shift;
  if (number == 0) return std::nullopt;
  return module_address{number - 1, address & ((std::uint64_t{1} << module_shift) - 1)};
}

}  // namespace forkloom

// Hashes of small tuples, the same on every machine and in every run.
#pragma once

#include <cstdint>
#include <string_view>

#include "framework/strategy/random.hpp"

namespace forkloom {

// The next number of a tuple folded into the hash of those before it. Not symmetric.
[[nodiscard]] constexpr std::uint64_t fold(std::uint64_t hash, std::uint64_t next) noexcept {
  return strategy::mix(strategy::mix(hash + strategy::golden_ratio) + next);
}

[[nodiscard]] constexpr std::uint64_t fold(std::uint64_t hash, std::string_view text) noexcept {
  for (const char c : text) hash = fold(hash, static_cast<unsigned char>(c));
  return fold(hash, text.size());
}

}  // namespace forkloom

// Strategies by name: "random", "pct:3", and with everything resolved, as tokens carry it,
// "pct:3:120".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "framework/strategy/strategy.hpp"

namespace forkloom::explore {

struct strategy_spec {
  enum class family : std::uint8_t { random, pct };
  family which = family::random;
  std::uint32_t d = 0;  // pct: bug depth
  std::uint32_t k = 0;  // pct: estimated steps of an execution; 0: not estimated yet
};

// Throws usage_error, naming the strategies that there are and the ranges of their parameters.
[[nodiscard]] strategy_spec parse_strategy(std::string_view text);

[[nodiscard]] std::string to_string(const strategy_spec& spec);

// Does it need an estimate of the length of an execution before it can begin?
[[nodiscard]] bool needs_estimate(const strategy_spec& spec) noexcept;

[[nodiscard]] strategy::state make(const strategy_spec& spec);

// What the strategy promises for n tasks, in words; "" if it promises nothing.
[[nodiscard]] std::string guarantee(const strategy_spec& spec, std::size_t n);

}  // namespace forkloom::explore

// Strategies by name: "random", "pct:3", and with everything resolved, as tokens carry it,
// "pct:3:120". An explicit schedule is "schedule:" and its text; without one, "schedule".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "framework/explore/interests.hpp"
#include "framework/explore/user_strategies.hpp"
#include "framework/strategy/strategy.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom::explore {

enum class strategy_family : std::uint8_t {
  random,
  sticky,
  fair,
  round_robin,
  pct,
  delay,
  pos,
  schedule,
  surw,
  guided,
  portfolio,
  swarm,
  dfs,
  dpor,
  user
};

// The parameter of a search that may go as far as there is anything.
inline constexpr std::uint32_t no_bound = ~std::uint32_t{0};

// What there is to know of a family, to read its name and to explain it.
struct strategy_description {
  strategy_family which;
  std::string_view name;
  std::string_view parameter;  // what the number behind the name means; "": there is none
  std::uint32_t least = 0;
  std::uint32_t most = 0;
  std::uint32_t usual = 0;      // if no number is given; 0: one must be; or no_bound
  bool needs_length = false;    // the estimated steps of an execution, k, are its second parameter
  std::string_view what_it_is;  // one or more lines
};

[[nodiscard]] std::span<const strategy_description> strategies() noexcept;

struct strategy_spec {
  strategy_family which = strategy_family::random;
  std::uint32_t parameter = 0;  // in the family's own meaning
  std::uint32_t k = 0;          // estimated steps of an execution; 0: not estimated, or not needed
  std::shared_ptr<const forkloom::schedule> schedule;  // an explicit one
  std::optional<explore::interest> interest;           // SURW's, once it is drawn
  const user_strategy* written = nullptr;              // by the user
  bool has_parameter = false;                          // the user's has a number behind its name
};

// "2 if left out"
[[nodiscard]] std::string if_left_out(const strategy_description& d);

// Throws usage_error, naming the strategies that there are and the ranges of their parameters.
[[nodiscard]] strategy_spec parse_strategy(std::string_view text);

[[nodiscard]] std::string to_string(const strategy_spec& spec);

// Does it need an estimate of the length of an execution before it can begin?
[[nodiscard]] bool needs_estimate(const strategy_spec& spec) noexcept;

// The spec must outlive the state of an explicit schedule.
// Throws usage_error for a search, which has many states.
[[nodiscard]] strategy::state make(const strategy_spec& spec);

// What the strategy promises for n tasks, in words; "" if it promises nothing.
[[nodiscard]] std::string guarantee(const strategy_spec& spec, std::size_t n);

}  // namespace forkloom::explore

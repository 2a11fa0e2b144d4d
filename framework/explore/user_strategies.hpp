// The strategies that the binary's user registered (forkloom/strategy.hpp).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "forkloom/strategy.hpp"

namespace forkloom::explore {

struct user_strategy {
  std::string name;
  std::string what_it_is;
  detail::strategy_functions functions;
};

// In the order of their names.
[[nodiscard]] std::span<const user_strategy> user_strategies();

// Null if there is none of that name.
[[nodiscard]] const user_strategy* find_user_strategy(std::string_view name);

// Why a strategy cannot have that name; "" if it can.
[[nodiscard]] std::string why_no_name(std::string_view name);

}  // namespace forkloom::explore

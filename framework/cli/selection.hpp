// Which scenarios a command is about.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forkloom/registry.hpp"

namespace forkloom::cli {

// '*' stands for any text, '?' for one byte.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) noexcept;

// A pattern is an exact name, else tags as Catch2 writes them ("[bank][lost-update]": both;
// "~[slow]": without), else a name with '*' and '?'. Selected is what any of the patterns selects,
// in the order of the scenarios. Throws usage_error for a pattern that selects nothing, naming
// close matches.
[[nodiscard]] std::vector<const scenario_info*> select(
    std::span<const scenario_info* const> scenarios, std::span<const std::string> patterns);

}  // namespace forkloom::cli

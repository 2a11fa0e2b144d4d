// What somebody may have meant by a name that does not exist.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forkloom::cli {

// Insertions, deletions and replacements of one byte that lead from one to the other (Levenshtein).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// At most three of the names, the closest first: a third of the wanted name's length may differ, or
// it is part of the name.
[[nodiscard]] std::vector<std::string> close_names(std::string_view wanted,
                                                   std::span<const std::string> names);

// " Did you mean 'a' or 'b'?", or "".
[[nodiscard]] std::string did_you_mean(std::string_view wanted, std::span<const std::string> names);

}  // namespace forkloom::cli

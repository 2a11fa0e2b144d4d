#include "forkloom/violation.hpp"

#include <array>

namespace forkloom {
namespace {

constexpr std::array<std::string_view, violation_kind_count> names{
    "expectation", "crash",   "exit",       "deadlock",         "hang",       "lost_update",
    "starvation",  "leak",    "data_race",  "not_linearizable", "lock_order", "unchecked_failure",
    "atomicity",   "message", "permissions"};

}  // namespace

std::string_view name(violation_kind kind) noexcept {
  return names.at(static_cast<std::size_t>(kind));
}

std::optional<violation_kind> violation_kind_named(std::string_view wanted) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names.at(i) == wanted) return static_cast<violation_kind>(i);
  return std::nullopt;
}

}  // namespace forkloom

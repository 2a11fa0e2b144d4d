// What a resource is called in every execution of a scenario: its kind, and its name if it has one
// of its own. Resources that nobody named are numbered in the order of first use, which follows the
// schedule; so all of one kind have one label.
//
// Async-signal-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "framework/trace/operation.hpp"

namespace forkloom {

// Is the name made from the kind and a number, as in "mutex 3"?
[[nodiscard]] constexpr bool is_numbered(resource_kind kind, std::string_view name,
                                         std::string_view name_of_kind) noexcept {
  if (kind == resource_kind::process || kind == resource_kind::thread || name.empty()) return true;
  if (!name.starts_with(name_of_kind)) return false;
  const auto rest = name.substr(name_of_kind.size());
  if (rest.size() < 2 || rest.front() != ' ') return false;
  return rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

// Never 0.
[[nodiscard]] inline std::uint32_t stable_label(resource_kind kind,
                                                std::string_view name) noexcept {
  // FNV-1a, as in scenario_hash().
  constexpr std::uint32_t prime = 0x0100'0193;
  std::uint32_t hash = 0x811c'9dc5 ^ static_cast<std::uint32_t>(kind);
  hash *= prime;
  if (!is_numbered(kind, name, forkloom::name(kind))) {
    // The folder of a name in a directory is the machine's affair.
    if (kind == resource_kind::directory_entry) name.remove_prefix(name.rfind('/') + 1);
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  }
  return hash == 0 ? 1 : hash;
}

}  // namespace forkloom

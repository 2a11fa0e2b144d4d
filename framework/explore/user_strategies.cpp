#include "framework/explore/user_strategies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "framework/explore/strategy_spec.hpp"

namespace forkloom::explore {
namespace {

constexpr std::size_t name_length_max = 32;

// Made at the first registration, which may come before this file's own statics.
std::vector<user_strategy>& all() {
  static std::vector<user_strategy> strategies;
  return strategies;
}

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

bool may_stand_in_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

}  // namespace

std::span<const user_strategy> user_strategies() { return all(); }

const user_strategy* find_user_strategy(std::string_view name) {
  const auto found = std::find_if(all().begin(), all().end(),
                                  [&](const user_strategy& s) { return s.name == name; });
  return found == all().end() ? nullptr : &*found;
}

std::string why_no_name(std::string_view name) {
  if (name.empty() || name.size() > name_length_max || !is_letter(name.front()) ||
      !std::all_of(name.begin(), name.end(), may_stand_in_name))
    return fmt::format("it must be 1 to {} lower-case letters, digits and '_', with a letter first",
                       name_length_max);
  const auto built_in = strategies();
  if (std::any_of(built_in.begin(), built_in.end(), [&](const auto& d) { return d.name == name; }))
    return "Forkloom has one of that name";
  return find_user_strategy(name) == nullptr ? "" : "there are two of that name";
}

}  // namespace forkloom::explore

namespace forkloom::detail {

bool register_strategy(const strategy_functions& functions) noexcept {
  using namespace explore;
  if (const auto why = why_no_name(functions.name); !why.empty()) {
    fmt::print(stderr, "forkloom: strategy \"{}\" cannot be registered: {}\n", functions.name, why);
    std::exit(2);  // NOLINT(concurrency-mt-unsafe): before main(), when nothing else runs
  }
  auto& known = all();
  const auto behind = std::find_if(known.begin(), known.end(),
                                   [&](const auto& s) { return s.name > functions.name; });
  known.insert(behind, {std::string(functions.name), std::string(functions.what_it_is), functions});
  return true;
}

}  // namespace forkloom::detail

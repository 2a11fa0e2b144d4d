#include "framework/trace/fault_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "forkloom/error.hpp"

namespace forkloom {
namespace {

constexpr std::array<std::string_view, 3> policies{"idle", "race", "never"};

[[noreturn]] void refuse(std::string_view one, std::string_view why) {
  std::string known;
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind)
    known += (known.empty() ? "" : ", ") + std::string(name(fault_kind(kind)));
  throw usage_error(
      fmt::format("bad fault \"{}\": {}. Faults: {}; each with :N, how often in one "
                  "execution at most, 1 … {}",
                  one, why, known, faults_max));
}

std::uint8_t number(std::string_view one, std::string_view digits) {
  unsigned value = 0;  // which it stays if none can be read
  const auto* const end = digits.data() + digits.size();
  const auto* const stop = std::from_chars(digits.data(), end, value).ptr;
  if (stop != end || value < 1 || value > faults_max)
    refuse(one, fmt::format("its number must be a whole one from 1 to {}", faults_max));
  return static_cast<std::uint8_t>(value);
}

void add(fault_plan& plan, std::string_view one) {
  const auto colon = one.find(':');
  const auto kind = index(fault_named(one.substr(0, colon)));
  if (plan.most[kind] != 0) refuse(one, "it is named twice");
  plan.most[kind] =
      colon == std::string_view::npos ? std::uint8_t{1} : number(one, one.substr(colon + 1));
}

}  // namespace

fault_kind fault_named(std::string_view text) {
  std::size_t kind = 0;
  while (kind < fault_kind_count && name(fault_kind(kind)) != text) ++kind;
  if (kind == fault_kind_count) refuse(text, "there is none of that name");
  return fault_kind(kind);
}

fault_plan parse_faults(std::string_view text) {
  fault_plan plan;
  if (text.empty()) return plan;
  for (;;) {
    const auto comma = text.find(',');
    add(plan, text.substr(0, comma));
    if (comma == std::string_view::npos) return plan;
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(const fault_plan& plan) {
  std::string text;
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind)
    if (plan.most[kind] != 0)
      text +=
          fmt::format("{}{}:{}", text.empty() ? "" : ",", name(fault_kind(kind)), plan.most[kind]);
  return text;
}

timeout_policy parse_timeouts(std::string_view text) {
  const auto found = std::find(policies.begin(), policies.end(), text);
  if (found == policies.end())
    throw usage_error(
        fmt::format("bad policy of time-outs \"{}\": it must be idle, race or never", text));
  return timeout_policy(found - policies.begin());
}

std::string_view name(timeout_policy policy) noexcept {
  return policies[static_cast<std::size_t>(policy)];
}

}  // namespace forkloom

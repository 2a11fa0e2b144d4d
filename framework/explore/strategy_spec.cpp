#include "framework/explore/strategy_spec.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "forkloom/error.hpp"

namespace forkloom::explore {
namespace {

constexpr std::uint32_t estimate_max = 1'000'000;

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw usage_error(fmt::format(
      "unknown strategy \"{}\": {}. Strategies: random; pct:d with the bug depth d from "
      "1 to {}",
      text, why, strategy::pct_depth_max));
}

std::uint32_t number(std::string_view text, std::string_view whole, std::string_view what,
                     std::uint32_t max) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > max)
    refuse(whole, fmt::format("its {} must be a whole number from 1 to {}", what, max));
  return value;
}

}  // namespace

strategy_spec parse_strategy(std::string_view text) {
  strategy_spec spec;
  const auto colon = text.find(':');
  const auto family = text.substr(0, colon);
  if (family == "random") {
    if (colon != std::string_view::npos) refuse(text, "random takes no parameter");
    return spec;
  }
  if (family != "pct") refuse(text, "there is none of that name");
  spec.which = strategy_spec::family::pct;
  if (colon == std::string_view::npos) refuse(text, "pct needs a bug depth, as in pct:3");
  auto rest = text.substr(colon + 1);
  const auto second = rest.find(':');
  spec.d = number(rest.substr(0, second), text, "bug depth", strategy::pct_depth_max);
  if (second != std::string_view::npos)
    spec.k = number(rest.substr(second + 1), text, "estimated number of steps", estimate_max);
  return spec;
}

std::string to_string(const strategy_spec& spec) {
  if (spec.which == strategy_spec::family::random) return "random";
  return spec.k == 0 ? fmt::format("pct:{}", spec.d) : fmt::format("pct:{}:{}", spec.d, spec.k);
}

bool needs_estimate(const strategy_spec& spec) noexcept {
  return spec.which == strategy_spec::family::pct && spec.k == 0;
}

strategy::state make(const strategy_spec& spec) {
  if (spec.which == strategy_spec::family::pct) return strategy::pct(spec.d, spec.k);
  return strategy::random_walk{};
}

std::string guarantee(const strategy_spec& spec, std::size_t n) {
  if (spec.which != strategy_spec::family::pct || spec.k == 0) return {};
  const auto odds = static_cast<double>(n) * std::pow(spec.k, static_cast<double>(spec.d) - 1);
  return fmt::format(
      "each execution finds a bug of depth {} with probability at least 1/(n k^(d-1)) = 1/{:.0f}, "
      "for n = {} tasks and k = {} steps (estimated)",
      spec.d, odds, n, spec.k);
}

}  // namespace forkloom::explore

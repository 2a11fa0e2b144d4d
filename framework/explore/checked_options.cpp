#include "framework/explore/checked_options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "forkloom/error.hpp"
#include "framework/execution/arena.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/trace/fault_plan.hpp"

namespace forkloom::explore {
namespace {

template <class Number>
void check_range(std::string_view what, Number value, Number low, Number high) {
  if (value < low || value > high)
    throw usage_error(
        fmt::format("option {} is {}; it must be from {} to {}", what, value, low, high));
}

void validate_options(const options& how) {
  constexpr auto any = ~std::uint64_t{0};
  check_range<std::uint64_t>("executions", how.executions, 1, any);
  check_range<unsigned>("processes", how.processes, 1, execution::task_capacity);
  check_range<std::uint64_t>("progress_limit", how.progress_limit, 1, any);
  check_range<std::uint64_t>("step_limit", how.step_limit, 1, 900'000);
  check_range<long>("hang_limit (ms)", how.hang_limit.count(), 1, 3'600'000);
  check_range<std::uint32_t>("bypass_max", how.bypass_max, 1, ~std::uint32_t{0});
  check_range<unsigned>("replays", how.replays, 1, 1'000);
  if (how.time.count() < 0) throw usage_error("option time is negative");
}

std::uint64_t number_from(const char* variable, const char* text) {
  std::uint64_t value = 0;
  const std::string_view view(text);
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (view.empty() || error != std::errc{} || end != view.data() + view.size())
    throw usage_error(
        fmt::format("{}=\"{}\" in the environment must be a whole number", variable, text));
  return value;
}

timeout_policy policy_from(const char* variable, const char* text) {
  try {
    return parse_timeouts(text);
  } catch (const usage_error& error) {
    throw usage_error(fmt::format("{}: {}", variable, error.what()));
  }
}

}  // namespace

void validate(const scenario_info& scenario, const options& how) {
  try {
    validate_options(how);
  } catch (const usage_error& error) {
    throw usage_error(fmt::format("scenario \"{}\" ({}:{}): {}", scenario.name, scenario.file,
                                  scenario.line, error.what()));
  }
}

options with_environment(options how, const std::set<std::string_view>& but_not) {
  const auto value_of = [&](const char* variable) {
    return but_not.contains(variable) ? nullptr : std::getenv(variable);
  };
  const auto take_number = [&](const char* variable, auto& target) {
    if (const char* text = value_of(variable)) target = number_from(variable, text);
  };
  take_number("FORKLOOM_EXECUTIONS", how.executions);
  take_number("FORKLOOM_SEED", how.seed);
  take_number("FORKLOOM_SHRINK", how.shrink_budget);
  if (const char* text = value_of("FORKLOOM_STRATEGY")) how.strategy = text;
  if (const char* text = value_of("FORKLOOM_FAULTS")) how.faults = text;
  if (const char* text = value_of("FORKLOOM_TIMEOUTS"))
    how.timeouts = policy_from("FORKLOOM_TIMEOUTS", text);
  return how;
}

}  // namespace forkloom::explore

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

options with_environment(options how) {
  if (const char* text = std::getenv("FORKLOOM_EXECUTIONS"); text != nullptr)
    how.executions = number_from("FORKLOOM_EXECUTIONS", text);
  if (const char* text = std::getenv("FORKLOOM_SEED"); text != nullptr)
    how.seed = number_from("FORKLOOM_SEED", text);
  if (const char* text = std::getenv("FORKLOOM_SHRINK"); text != nullptr)
    how.shrink_budget = number_from("FORKLOOM_SHRINK", text);
  if (const char* text = std::getenv("FORKLOOM_STRATEGY"); text != nullptr) how.strategy = text;
  if (const char* text = std::getenv("FORKLOOM_FAULTS"); text != nullptr) how.faults = text;
  if (const char* text = std::getenv("FORKLOOM_TIMEOUTS"); text != nullptr)
    how.timeouts = policy_from("FORKLOOM_TIMEOUTS", text);
  return how;
}

}  // namespace forkloom::explore

#include "tests/bench/shrink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "forkloom/registry.hpp"
#include "framework/explore/campaign.hpp"

namespace forkloom::bench {
namespace {

using nlohmann::json;

constexpr unsigned preemptions_max = 2;

bool is_like(const violation& a, const violation& b) {
  return a.kind == b.kind && a.resource == b.resource;
}

bool finds(const explore::campaign_result& result, const violation& wanted) {
  return std::any_of(result.findings.begin(), result.findings.end(), [&](const auto& finding) {
    return std::any_of(finding.violations.begin(), finding.violations.end(),
                       [&](const violation& v) { return is_like(v, wanted); });
  });
}

// The fewest preemptions with which depth-first search finds it. Nothing if it does not within the
// bounds.
std::optional<unsigned> minimum(const scenario_info& scenario, const violation& wanted) {
  auto how = scenario.defaults;
  how.executions = 20'000;
  how.time = std::chrono::seconds(20);
  how.shrink = shrink_what::nothing;
  how.replays = 1;
  how.keep_going = true;
  for (unsigned bound = 0; bound <= preemptions_max; ++bound) {
    how.strategy = fmt::format("dfs:{}", bound);
    const auto result = explore::run_campaign(scenario, how);
    if (finds(result, wanted)) return bound;
    if (result.executions == how.executions || result.seconds >= 20) return std::nullopt;
  }
  return std::nullopt;
}

json row_of(const scenario_info& scenario) {
  auto how = scenario.defaults;
  how.shrink = shrink_what::everything;
  how.shrink_time = std::chrono::milliseconds(0);
  const auto result = explore::run_campaign(scenario, how);
  json row{{"bench", "shrink"}, {"scenario", scenario.name}};
  if (result.findings.empty() || !result.findings.front().shrunk) return row;
  const auto& found = result.findings.front();
  const auto& shrunk = *found.shrunk;
  row["before"] = shrunk.before.preemptions;
  row["after"] = shrunk.after.preemptions;
  row["steps_before"] = shrunk.before.steps;
  row["steps_after"] = shrunk.after.steps;
  row["executions"] = shrunk.executions;
  // Nothing is less than nothing.
  const auto least = shrunk.after.preemptions == 0 ? std::optional(0U)
                                                   : minimum(scenario, found.violations.front());
  if (least) row["minimum"] = *least;
  if (least) row["minimal"] = shrunk.after.preemptions <= *least;
  return row;
}

std::string cell(const json& row, const char* key) {
  return row.contains(key) ? row.at(key).dump() : "-";
}

std::string line(const json& row) {
  if (row.contains("share"))
    return fmt::format("{} of {} whose minimum is known end minimal: {:.1f} %",
                       row.at("minimal").dump(), row.at("known").dump(),
                       100 * row.at("share").get<double>());
  return fmt::format("{:>6} {:>6} {:>8} {:>11} {:>11}   {}{}", cell(row, "before"),
                     cell(row, "after"), cell(row, "minimum"), cell(row, "steps_after"),
                     cell(row, "executions"), row.at("scenario").get<std::string>(),
                     row.contains("error") ? ": " + row.at("error").get<std::string>() : "");
}

void print(const json& row, bool as_json) {
  fmt::print("{}\n", as_json ? row.dump() : line(row));
  std::fflush(stdout);
}

json row_or_error(const scenario_info& scenario) {
  try {
    return row_of(scenario);
  } catch (const std::exception& error) {
    return {{"bench", "shrink"}, {"scenario", scenario.name}, {"error", error.what()}};
  }
}

}  // namespace

void bench_shrink(bool as_json) {
  if (!as_json)
    fmt::print("{:>6} {:>6} {:>8} {:>11} {:>11}   scenario\n", "before", "after", "minimum",
               "steps", "executions");
  unsigned known = 0;
  unsigned minimal = 0;
  for (const auto* scenario : scenarios()) {
    if (scenario->defaults.expects.empty()) continue;
    const auto row = row_or_error(*scenario);
    if (explore::interrupting_signal() != 0) return;
    print(row, as_json);
    if (!row.contains("minimal")) continue;
    ++known;
    if (row.at("minimal").get<bool>()) ++minimal;
  }
  const auto share = known == 0 ? 0.0 : static_cast<double>(minimal) / known;
  print({{"bench", "shrink"}, {"known", known}, {"minimal", minimal}, {"share", share}}, as_json);
}

}  // namespace forkloom::bench

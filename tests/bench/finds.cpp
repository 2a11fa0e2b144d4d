#include "tests/bench/finds.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "framework/explore/campaign.hpp"
#include "framework/explore/strategy_spec.hpp"

namespace forkloom::bench {
namespace {

using nlohmann::json;

const std::vector<std::string> all_strategies{
    "random", "sticky:10", "fair:50", "rr",    "pct:2", "pct:3", "delay:2",
    "pos",    "surw",      "guided",  "swarm", "dfs:2", "dpor",  "portfolio"};

// Do its executions depend on the seed? Taking turns leaves nothing to draw but faults.
bool draws(const std::string& strategy, const options& how) {
  switch (explore::parse_strategy(strategy).which) {
    case explore::strategy_family::round_robin:
      return !how.faults.empty();
    case explore::strategy_family::dfs:
    case explore::strategy_family::dpor:
      return false;
    default:
      return true;
  }
}

// Median over the seeds; nothing if half of the campaigns found nothing.
std::optional<std::uint64_t> median(std::vector<std::uint64_t> firsts) {
  if (firsts.empty()) return std::nullopt;
  const auto middle = firsts.begin() + static_cast<std::ptrdiff_t>(firsts.size() / 2);
  std::nth_element(firsts.begin(), middle, firsts.end());
  if (*middle == ~std::uint64_t{0}) return std::nullopt;
  return *middle;
}

struct row {
  std::optional<std::uint64_t> first;  // execution, from 1
  std::uint64_t missed = 0;            // seeds that found nothing
  double seconds = 0;                  // for all seeds
};

row measure(const scenario_info& scenario, const std::string& strategy, const finds_request& what) {
  row made;
  std::vector<std::uint64_t> firsts;
  const auto seeds = draws(strategy, scenario.defaults) ? what.seeds : 1;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = 1; seed <= seeds && explore::interrupting_signal() == 0; ++seed) {
    auto how = scenario.defaults;
    how.strategy = strategy;
    how.seed = seed;
    how.executions = what.executions;
    how.keep_going = false;
    how.replays = 1;
    const auto result = explore::run_campaign(scenario, how);
    const bool found = !result.findings.empty();
    made.missed += found ? 0 : 1;
    firsts.push_back(found ? result.findings.front().execution + 1 : ~std::uint64_t{0});
  }
  made.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  made.first = median(std::move(firsts));
  return made;
}

// The scenario's bodies, not under control, for that time: "RUNS FAILURES".
struct stress {
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;
};

stress run_stress(const scenario_info& scenario, double seconds) {
  const auto program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "forkloom-stress";
  const auto command = fmt::format("'{}' {} '{}'", program.string(), seconds, scenario.name);
  stress made;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return made;
  unsigned long runs = 0;
  unsigned long failures = 0;
  if (std::fscanf(pipe, "%lu %lu", &runs, &failures) == 2) made = {runs, failures};
  ::pclose(pipe);
  return made;
}

std::string text_of(const row& r) {
  return r.first ? fmt::format("{}{}", *r.first, r.missed > 0 ? "*" : "") : "-";
}

void print_row(const scenario_info& scenario, const std::vector<std::string>& strategies,
               const std::vector<row>& rows, const stress& bare, bool as_json) {
  if (as_json) {
    json line{{"bench", "finds"},
              {"scenario", scenario.name},
              {"stress_runs", bare.runs},
              {"stress_failures", bare.failures}};
    for (std::size_t i = 0; i < rows.size(); ++i)
      line["strategies"][strategies[i]] = {
          {"median", rows[i].first ? json(*rows[i].first) : json(nullptr)},
          {"missed", rows[i].missed}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print("{:<58}", scenario.name.substr(0, 57));
    for (const auto& r : rows) fmt::print("{:>10}", text_of(r));
    fmt::print("{:>9} of {}\n", bare.failures, bare.runs);
  }
  std::fflush(stdout);
}

// Over all scenarios: how many each strategy found with at least half of the seeds, and how soon,
// as the geometric mean of the medians of those that every strategy found so.
struct summary {
  std::uint64_t scenarios = 0;
  std::vector<std::uint64_t> found;
  std::vector<double> log_sum;
  std::uint64_t found_by_all = 0;
  std::uint64_t uncontrolled = 0;  // scenarios of which at least one run without control failed

  void add(const std::vector<row>& rows, const stress& bare) {
    ++scenarios;
    uncontrolled += bare.failures > 0 ? 1 : 0;
    found.resize(rows.size());
    log_sum.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) found[i] += rows[i].first ? 1 : 0;
    if (!std::all_of(rows.begin(), rows.end(), [](const row& r) { return r.first.has_value(); }))
      return;
    ++found_by_all;
    for (std::size_t i = 0; i < rows.size(); ++i)
      log_sum[i] += std::log2(static_cast<double>(*rows[i].first));
  }

  [[nodiscard]] double mean(std::size_t strategy) const {
    return std::exp2(log_sum[strategy] /
                     static_cast<double>(std::max<std::uint64_t>(found_by_all, 1)));
  }
};

void print_summary(const summary& all, const std::vector<std::string>& strategies, bool as_json) {
  if (all.scenarios == 0) return;
  if (as_json) {
    json line{{"bench", "finds"},
              {"scenarios", all.scenarios},
              {"found_by_all", all.found_by_all},
              {"stress_found", all.uncontrolled}};
    for (std::size_t i = 0; i < strategies.size(); ++i)
      line["strategies"][strategies[i]] = {{"found", all.found[i]}, {"mean", all.mean(i)}};
    fmt::print("{}\n", line.dump());
    return;
  }
  fmt::print("{:<58}", fmt::format("found, of {}", all.scenarios));
  for (const auto count : all.found) fmt::print("{:>10}", count);
  fmt::print("{:>9} of {}\n", all.uncontrolled, all.scenarios);
  fmt::print("{:<58}", fmt::format("geometric mean of the {} that all found", all.found_by_all));
  for (std::size_t i = 0; i < strategies.size(); ++i) fmt::print("{:>10.1f}", all.mean(i));
  fmt::print("\n");
}

bool is_meant(const scenario_info& scenario, const finds_request& what) {
  return !scenario.defaults.expects.empty() &&
         (what.scenarios == "*" || scenario.name.find(what.scenarios) != std::string::npos);
}

}  // namespace

void print_finds(const finds_request& what) {
  const auto& strategies = what.strategies.empty() ? all_strategies : what.strategies;
  for (const auto& s : strategies) static_cast<void>(explore::parse_strategy(s));
  if (!what.as_json) {
    fmt::print(
        "Executions to the first failure: median of {} seeds; - where half of them found none "
        "in {}, * where some did.\n{:<58}",
        what.seeds, what.executions, "");
    for (const auto& s : strategies) fmt::print("{:>10}", s);
    fmt::print("{:>14}\n", "uncontrolled");
  }
  summary all;
  for (const auto* scenario : scenarios()) {
    if (!is_meant(*scenario, what)) continue;
    std::vector<row> rows;
    for (const auto& s : strategies) rows.push_back(measure(*scenario, s, what));
    if (explore::interrupting_signal() != 0) return;
    // As long as the last of the strategies took for all seeds.
    const auto bare = run_stress(*scenario, rows.back().seconds);
    print_row(*scenario, strategies, rows, bare, what.as_json);
    all.add(rows, bare);
  }
  print_summary(all, strategies, what.as_json);
}

}  // namespace forkloom::bench

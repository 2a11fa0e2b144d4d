#include "framework/explore/shrink_failure.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "framework/explore/explain.hpp"
#include "framework/explore/time_net.hpp"
#include "framework/shrink/critical.hpp"
#include "framework/shrink/shrink.hpp"

namespace forkloom::explore {
namespace {

// Of the budget, what is left for the critical transition at least.
constexpr std::uint64_t critical_percent = 20;

// Of all executions together: a few seconds. Only failures of more than some 4,000 steps come to it
// before they have had their executions.
constexpr std::uint64_t steps_max = 2'000'000;

std::set<std::pair<violation_kind, std::string>> nature(std::span<const violation> all) {
  std::set<std::pair<violation_kind, std::string>> made;
  for (const auto& v : all) made.emplace(v.kind, v.resource);
  return made;
}

std::set<std::pair<std::string, std::uint32_t>> failed_lines(const trace& what) {
  std::set<std::pair<std::string, std::uint32_t>> made;
  for (const auto& failure : what.failures) made.emplace(failure.file, failure.line);
  return made;
}

schedule_size size_of(const trace& what) {
  const auto cost = shrink::cost_of(what);
  return {.preemptions = cost.preemptions,
          .faults = cost.faults,
          .switches = what.switches,
          .steps = what.steps};
}

// A line on a terminal that is written over and over, and taken away at the end.
class progress_line {
 public:
  explicit progress_line(std::uint64_t of) : of_(of), shown_(::isatty(STDERR_FILENO) != 0) {}
  ~progress_line() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  void tell(std::uint64_t executions, const shrink::cost& best) const {
    if (!shown_) return;
    fmt::print(stderr, "\r\x1b[Kshrinking: {} of {} executions, {} preemptions, {} steps",
               executions, of_, best.preemptions, best.steps);
  }

 private:
  std::uint64_t of_;
  bool shown_;
};

}  // namespace

bool fails_alike(const trace& first, std::span<const violation> of_first, const trace& second,
                 std::span<const violation> of_second) {
  return nature(of_first) == nature(of_second) && failed_lines(first) == failed_lines(second);
}

std::optional<small_failure> shrink_failure(runner& run, std::uint64_t seed, const trace& first,
                                            std::span<const violation> found,
                                            std::span<const checkers::checker> with,
                                            const options& how) {
  time_net net(how.shrink_time);
  const shrink::runner try_out = [&](const schedule& candidate) {
    auto made = run.run(strategy::replay(candidate), seed, tracing::lean);
    const auto violations = check(made, with, how).violations;
    const bool fails = fails_alike(first, found, made, violations);
    return shrink::outcome{std::move(made), fails};
  };
  shrink::budget within{
      .executions = how.shrink_budget - how.shrink_budget * critical_percent / 100,
      .steps = steps_max - steps_max * critical_percent / 100,
      .out_of_time = [&] { return run.interrupted() || net.caught(); },
  };
  auto again = try_out(schedule_of(first));
  if (!again.fails || again.what_happened.hash != first.hash) return std::nullopt;

  const progress_line line(how.shrink_budget);
  const auto& place = found.front().resource;
  auto shrunk = shrink::shrink(
      std::move(again), try_out, within, place,
      [&](std::uint64_t executions, const shrink::cost& best) { line.tell(executions, best); });
  small_failure made;
  made.what_happened = std::move(shrunk.best.what_happened);
  made.how = {.executions = shrunk.executions + 1,
              .complete = shrunk.complete,
              .before = size_of(first),
              .after = size_of(made.what_happened)};
  within.executions = how.shrink_budget - std::min(how.shrink_budget, made.how.executions);
  within.steps = steps_max - std::min(steps_max, shrunk.steps);
  if (const auto critical = shrink::find_critical(made.what_happened, try_out, within, seed)) {
    made.how.critical_step = critical->step;
    made.how.continuations = critical->continuations;
    made.how.executions += critical->executions;
  }
  made.how.given_up_after_ms = net.caught_after_ms();
  made.violations = check(made.what_happened, with, how).violations;
  return made;
}

std::vector<preemption> preemptions_of(const trace& what) {
  std::vector<preemption> all;
  for (std::size_t i = 1; i < what.pick_kinds.size(); ++i) {
    if (what.pick_kinds[i] != pick_kind::preemption) continue;
    const auto from = what.schedule[i - 1];
    const auto next = std::find_if(what.events.begin(), what.events.end(),
                                   [&](const event& e) { return e.task == from && e.step > i; });
    all.push_back({.step = i + 1,
                   .from = from,
                   .to = what.schedule[i],
                   .event = static_cast<std::size_t>(next - what.events.begin())});
  }
  return all;
}

}  // namespace forkloom::explore

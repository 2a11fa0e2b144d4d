#include "framework/explore/guided.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "framework/strategy/mutant.hpp"

namespace forkloom::explore {
namespace {

using strategy::generator;

constexpr std::uint64_t never = ~std::uint64_t{0};

// Lengths of undisturbed runs: hardly any, some, long ones.
constexpr std::array<std::uint32_t, 3> mean_runs{1, 4, 16};

attempt fresh(std::uint64_t seed, std::uint32_t mean_run) {
  const strategy_spec spec{.which = strategy_family::sticky, .parameter = mean_run};
  return {.strategy = make(spec), .spec = to_string(spec), .seed = seed};
}

// Entries stay in order, one a step: one that is there already gives way.
void put(schedule& what, scheduled_pick pick) {
  const auto at = std::lower_bound(what.picks.begin(), what.picks.end(), pick.step,
                                   [](const auto& p, auto step) { return p.step < step; });
  if (at != what.picks.end() && at->step == pick.step)
    *at = pick;
  else
    what.picks.insert(at, pick);
}

scheduled_pick take_any(schedule& what, generator& random) {
  const auto at = what.picks.begin() + static_cast<std::ptrdiff_t>(random.below(what.picks.size()));
  const auto taken = *at;
  what.picks.erase(at);
  return taken;
}

}  // namespace

void mutate(schedule& what, std::uint32_t steps, std::uint32_t tasks, generator& random) {
  constexpr std::uint64_t far = 8;
  const auto kind = what.picks.empty() ? 0 : random.below(3);
  if (kind == 0) {
    const auto step = static_cast<std::uint32_t>(random.below(steps));
    put(what, {step, task_id(static_cast<std::uint16_t>(random.below(tasks)))});
    return;
  }
  auto taken = take_any(what, random);
  if (kind == 1) return;
  const auto by = static_cast<std::uint32_t>(1 + random.below(far));
  if (random.below(2) == 0)
    taken.step = std::min(taken.step + by, schedule_steps_max - 1);
  else
    taken.step -= std::min(taken.step, by);
  put(what, taken);
}

std::optional<attempt> guided::next(std::uint64_t number) {
  const auto seed = strategy::execution_seed(campaign_seed_, number);
  // Not the numbers that the walk itself draws from this seed.
  generator random(strategy::mix(~seed));
  const auto mean_run = mean_runs.at(random.below(mean_runs.size()));
  // One in four starts from nothing, or all would descend from what came first.
  if (all_.empty() || random.below(4) == 0) return fresh(seed, mean_run);
  auto& from = choose(random);
  ++from.used;
  ++mutations_;
  current_ = from.what;
  auto until = never;
  if (random.below(2) == 0)
    until = random.below(from.steps);
  else
    do mutate(current_, from.steps, from.tasks, random);
    while (random.below(2) == 0);
  return attempt{.strategy = strategy::mutant(current_, until, mean_run), .spec = "", .seed = seed};
}

// The less used of two: what is new gets its turn, and nothing is forgotten.
guided::kept& guided::choose(generator& random) {
  auto& one = all_[random.below(all_.size())];
  auto& other = all_[random.below(all_.size())];
  return other.used < one.used ? other : one;
}

void guided::learn(const trace& what, bool /*violated*/) {
  if (seen_.last_gain().orderings == 0 || what.steps == 0) return;
  auto found = schedule_of(what);
  if (found.picks.size() + found.draws.size() > entries_max) return;
  if (all_.size() == kept_max)
    all_.erase(std::max_element(all_.begin(), all_.end(),
                                [](const kept& a, const kept& b) { return a.used < b.used; }));
  all_.push_back({.what = std::move(found),
                  .steps = static_cast<std::uint32_t>(what.steps),
                  .tasks = static_cast<std::uint32_t>(what.tasks.size())});
}

std::string guided::conclusion() const {
  return fmt::format("{} schedules kept for a new ordering, {} executions were mutations of them",
                     all_.size(), mutations_);
}

}  // namespace forkloom::explore

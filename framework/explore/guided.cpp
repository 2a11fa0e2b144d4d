#include "framework/explore/guided.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "framework/strategy/mutant.hpp"
#include "framework/trace/counted.hpp"

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

void put(schedule& what, scheduled_draw draw) {
  const auto place = [](const auto& d) { return std::pair(d.step, d.nth); };
  const auto at =
      std::lower_bound(what.draws.begin(), what.draws.end(), draw,
                       [&](const auto& a, const auto& b) { return place(a) < place(b); });
  if (at != what.draws.end() && place(*at) == place(draw))
    *at = draw;
  else
    what.draws.insert(at, draw);
}

template <class Entry>
Entry take_any(std::vector<Entry>& entries, generator& random) {
  const auto at = entries.begin() + static_cast<std::ptrdiff_t>(random.below(entries.size()));
  const auto taken = *at;
  entries.erase(at);
  return taken;
}

constexpr std::uint64_t far = 8;

// Where a draw was made, any other one has a chance to be made: it is never put elsewhere.
void mutate_draw(schedule& what, const extent& of, generator& random) {
  const auto kind = what.draws.empty() ? 0 : random.below(3);
  if (kind == 0) {
    const auto& any = of.draws[random.below(of.draws.size())];
    const auto value = static_cast<std::uint32_t>(1 + random.below(any.bound - 1));
    return put(what, scheduled_draw{any.step, any.nth, value});
  }
  const auto taken = take_any(what.draws, random);
  if (kind == 1) return;
  // To one of the draws behind or before it that had that value, too.
  const auto nearest = static_cast<std::uint64_t>(
      std::find_if(of.draws.begin(), of.draws.end(),
                   [&](const draw_record& d) {
                     return std::pair(d.step, d.nth) >= std::pair(taken.step, taken.nth);
                   }) -
      of.draws.begin());
  const auto first = nearest - std::min(nearest, far);
  const auto& other =
      of.draws[std::min(first + random.below(2 * far + 1), std::uint64_t{of.draws.size() - 1})];
  put(what, scheduled_draw{other.step, other.nth, std::min(taken.value, other.bound - 1)});
}

void mutate_pick(schedule& what, const extent& of, generator& random) {
  const auto kind = what.picks.empty() ? 0 : random.below(3);
  if (kind == 0) {
    const auto step = static_cast<std::uint32_t>(random.below(of.steps));
    return put(what,
               scheduled_pick{step, task_id(static_cast<std::uint16_t>(random.below(of.tasks)))});
  }
  auto taken = take_any(what.picks, random);
  if (kind == 1) return;
  const auto by = static_cast<std::uint32_t>(1 + random.below(far));
  if (random.below(2) == 0)
    taken.step = std::min(taken.step + by, schedule_steps_max - 1);
  else
    taken.step -= std::min(taken.step, by);
  put(what, taken);
}

// Evenly spread over the execution, if there are too many to remember.
std::vector<draw_record> some_of(const std::vector<draw_record>& all) {
  const auto every = 1 + all.size() / guided::draws_max;
  std::vector<draw_record> some;
  for (std::size_t i = 0; i < all.size(); i += every) some.push_back(all[i]);
  return some;
}

}  // namespace

void mutate(schedule& what, const extent& of, generator& random) {
  if (!of.draws.empty() && random.below(2) == 0)
    mutate_draw(what, of, random);
  else
    mutate_pick(what, of, random);
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
    until = random.below(from.of.steps);
  else
    do mutate(current_, from.of, random);
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
                  .of = {.steps = static_cast<std::uint32_t>(what.steps),
                         .tasks = static_cast<std::uint32_t>(what.tasks.size()),
                         .draws = some_of(what.draws)}});
}

std::string guided::conclusion() const {
  return fmt::format("{} kept for a new ordering; {} of kept ones executed",
                     counted(all_.size(), "schedule"), counted(mutations_, "mutation"));
}

}  // namespace forkloom::explore

#include "framework/shrink/shrink.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "framework/shrink/blocks.hpp"
#include "framework/shrink/search.hpp"

namespace forkloom::shrink {
namespace {

// Of the budget, what merging may take, and what there is when the search has ended. The search is
// what proves a minimum, so it has the greatest part that is not needed to get near.
constexpr std::uint64_t merging_percent = 45;
constexpr std::uint64_t searching_percent = 85;

class shrinker {
 public:
  shrinker(outcome failing, const runner& run, const budget& within, std::string_view place,
           const progress& tell)
      : run_(run), within_(within), place_(place), tell_(tell) {
    found_.best = std::move(failing);
    found_.before = found_.after = cost_of(found_.best.what_happened);
  }

  result reduce() {
    allow(merging_percent);
    static_cast<void>(try_out({}));
    without_draws();
    cut_end();
    merge();
    allow(searching_percent);
    search();
    allow(100);
    polish();
    return std::move(found_);
  }

 private:
  // Of both counts. Steps may be so many that hundredths of them come first.
  void allow(std::uint64_t percent) {
    executions_max_ = within_.executions * percent / 100;
    steps_max_ = percent == 100 ? within_.steps : within_.steps / 100 * percent;
  }

  [[nodiscard]] bool may_run() const {
    return found_.executions < executions_max_ && found_.steps < steps_max_ &&
           !within_.out_of_time();
  }

  // Runs a candidate unless it is known. True if it is better than all before, and then kept.
  bool try_out(const schedule& candidate) {
    if (!may_run() || !seen_.insert(to_text(candidate)).second) return false;
    return keep_if_better(run_now(candidate));
  }

  outcome run_now(const schedule& candidate) {
    ++found_.executions;
    auto made = run_(candidate);
    found_.steps += made.what_happened.steps;
    return made;
  }

  bool keep_if_better(outcome made) {
    if (!made.fails) return false;
    const auto price = cost_of(made.what_happened);
    if (price >= found_.after) return false;
    found_.after = price;
    found_.best = std::move(made);
    if (tell_) tell_(found_.executions, price);
    return true;
  }

  [[nodiscard]] std::vector<block> blocks() const { return blocks_of(found_.best.what_happened); }
  [[nodiscard]] schedule own() const { return schedule_of(found_.best.what_happened); }

  void without_draws() {
    auto candidate = own();
    if (candidate.draws.empty()) return;
    candidate.draws.clear();
    static_cast<void>(try_out(candidate));
  }

  // What comes behind some block may as well take its usual course.
  void cut_end() {
    const auto all = blocks();
    std::size_t low = 1;
    auto high = all.size();
    while (low < high && may_run()) {
      const auto middle = low + (high - low) / 2;
      const auto kept = std::vector(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(middle));
      if (try_out(schedule_of(kept)))
        high = middle;
      else
        low = middle + 1;
    }
  }

  void merge() {
    for (auto size = std::max<std::size_t>(blocks().size() / 2, 1); may_run();) {
      const bool better = merge_by(size);
      if (size == 1 && !better) return;
      if (size > 1) size /= 2;
    }
  }

  // Groups of that many blocks, the last first: what comes late matters least.
  bool merge_by(std::size_t size) {
    bool better = false;
    for (auto end = blocks().size(); end > 0 && may_run();) {
      const auto all = blocks();
      end = std::min(end, all.size());
      const auto first = end - std::min(end, size);
      const bool helped = try_out(schedule_of(delayed(all, first, end - first))) ||
                          (size == 1 && try_out(schedule_of(advanced(all, first))));
      better = better || helped;
      if (!helped) end = first;
    }
    return better;
  }

  // The schedules that have not been run yet, the simplest first: by preemptions and faults
  // together, preemptions, entries that are not at the place in question, and their age. Without
  // any preemption there are as many schedules as sets of faults, and those of two faults are more
  // than there is time for: they must not come before those of one preemption.
  using rank = std::array<std::uint64_t, 4>;

  void search() {
    std::map<rank, schedule> frontier{{rank{}, {}}};
    std::set<std::string> executed;
    std::uint64_t age = 0;
    while (!frontier.empty()) {
      const auto node = frontier.extract(frontier.begin());
      const auto [disturbances, preemptions, elsewhere, ignored] = node.key();
      const auto faults = disturbances - preemptions;
      if (!is_of_use(preemptions, faults)) continue;
      if (!may_run()) return;
      auto made = run_now(node.mapped());
      // What it really was tells whether this one or its like has been here.
      if (!executed.insert(to_text(schedule_of(made.what_happened))).second) continue;
      for (auto& d : disturbances_of(made.what_happened, place_, found_.before.faults > 0))
        if (is_of_use(preemptions + (d.preempts ? 1 : 0), faults + (d.is_draw ? 1 : 0)))
          frontier.emplace(
              rank{disturbances + (d.preempts || d.is_draw ? 1 : 0),
                   preemptions + (d.preempts ? 1 : 0), elsewhere + (d.elsewhere ? 1 : 0), ++age},
              std::move(d.made));
      static_cast<void>(keep_if_better(std::move(made)));
    }
    found_.complete = true;
  }

  // Cheaper than what is known, and with no more faults than are left there. But if all have gone,
  // one may come back for a preemption.
  [[nodiscard]] bool is_of_use(std::uint64_t preemptions, std::uint64_t faults) const {
    const auto& best = found_.after;
    return std::pair(preemptions, faults) < std::pair(best.preemptions, best.faults) &&
           faults <= std::max<std::uint64_t>(best.faults, 1);
  }

  // Single entries taken away, set to 0 or moved by a step, as long as one of that helps.
  void polish() {
    while (may_run() && polish_once()) continue;
  }

  bool polish_once() {
    const auto now = own();
    for (std::size_t i = 0; i < now.draws.size(); ++i) {
      auto candidate = now;
      candidate.draws.erase(candidate.draws.begin() + static_cast<std::ptrdiff_t>(i));
      if (try_out(candidate)) return true;
    }
    for (std::size_t i = 0; i < now.picks.size(); ++i) {
      auto candidate = now;
      candidate.picks.erase(candidate.picks.begin() + static_cast<std::ptrdiff_t>(i));
      if (try_out(candidate)) return true;
      if (try_out(moved(now, i, -1)) || try_out(moved(now, i, 1))) return true;
    }
    return false;
  }

  // Entry i a step earlier or later, and all behind it, too; unchanged if there is no room.
  static schedule moved(schedule what, std::size_t i, int by) {
    const auto before = i == 0 ? -1 : static_cast<int>(what.picks[i - 1].step);
    if (static_cast<int>(what.picks[i].step) + by <= before) return what;
    for (auto j = i; j < what.picks.size(); ++j)
      what.picks[j].step = static_cast<std::uint32_t>(static_cast<int>(what.picks[j].step) + by);
    return what;
  }

  const runner& run_;
  const budget& within_;
  std::string_view place_;
  const progress& tell_;
  std::uint64_t executions_max_ = 0;
  std::uint64_t steps_max_ = 0;
  std::set<std::string> seen_;
  result found_;
};

}  // namespace

cost cost_of(const trace& what) {
  const auto count = [&](pick_kind kind) {
    return static_cast<std::uint64_t>(
        std::count(what.pick_kinds.begin(), what.pick_kinds.end(), kind));
  };
  const auto faults = std::count_if(what.draws.begin(), what.draws.end(),
                                    [](const draw_record& draw) { return draw.value != 0; });
  return {.preemptions = count(pick_kind::preemption),
          .faults = static_cast<std::uint64_t>(faults),
          .steps = what.steps,
          .others = count(pick_kind::other)};
}

result shrink(outcome failing, const runner& run, const budget& within, std::string_view place,
              const progress& tell) {
  return shrinker(std::move(failing), run, within, place, tell).reduce();
}

}  // namespace forkloom::shrink

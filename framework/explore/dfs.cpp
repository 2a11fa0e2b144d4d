#include "framework/explore/dfs.hpp"

#include <algorithm>
#include <utility>

#include "framework/trace/counted.hpp"

namespace forkloom::explore {
namespace {

// The part of a schedule that lies before that pick, and before that draw.
schedule beginning(const schedule& whole, std::size_t pick, const draw_record* draw) {
  schedule part;
  for (const auto& p : whole.picks)
    if (p.step < pick) part.picks.push_back(p);
  for (const auto& d : whole.draws)
    if (draw == nullptr ? d.step <= pick
                        : d.step < draw->step || (d.step == draw->step && d.nth < draw->nth))
      part.draws.push_back(d);
  return part;
}

// Whoever yields does not go on as long as others can.
task_mask able_at(const trace& what, std::size_t pick) {
  const auto& c = what.choices[pick];
  if (pick == 0 || !c.yields) return c.enabled;
  const auto others = c.enabled & ~only(what.choices[pick - 1].picked);
  return others != 0 ? others : c.enabled;
}

bool is_preemption(const trace& what, std::size_t pick, task_id instead) {
  if (pick == 0) return false;
  const auto before = what.choices[pick - 1].picked;
  return instead != before && (able_at(what, pick) & only(before)) != 0;
}

}  // namespace

std::optional<attempt> dfs::next(std::uint64_t /*number*/) {
  if (!begun_) {
    begun_ = true;
    course_ = {};
  } else {
    if (now_.empty()) {
      std::swap(now_, later_);
      ++preemptions_;
    }
    if (now_.empty()) return std::nullopt;
    course_ = std::move(now_.back());
    now_.pop_back();
  }
  return attempt{
      .strategy = strategy::systematic(
          {.prefix = {course_.what.picks, course_.what.draws}, .prefix_length = course_.picks}),
      .spec = {}};
}

void dfs::learn(const trace& what, bool violated) {
  search_tally::require_few_tasks(what);
  tally_.count(what, violated);
  for (const auto& p : course_.what.picks)
    if (p.step >= what.choices.size() || what.choices[p.step].picked != p.task)
      return tally_.count_departure();
  branch(what, schedule_of(what));
}

// In the order of time, so that the last course added, which is the first one taken, differs least.
void dfs::branch(const trace& what, const schedule& whole) {
  std::size_t draw = 0;
  for (std::size_t pick = 0; pick <= what.choices.size(); ++pick) {
    for (; draw < what.draws.size() && what.draws[draw].step <= pick; ++draw)
      if (draw >= course_.draws) add_draws(what, whole, draw);
    if (pick < what.choices.size() && pick >= course_.picks) add_picks(what, whole, pick, draw);
  }
}

void dfs::add_picks(const trace& what, const schedule& whole, std::size_t pick, std::size_t draws) {
  const auto& c = what.choices[pick];
  const auto able = able_at(what, pick);
  for (std::uint16_t i = 0; i < systematic_tasks_max; ++i) {
    const auto task = task_id(i);
    if ((able & only(task)) == 0 || task == c.picked) continue;
    const bool preempts = is_preemption(what, pick, task);
    if (preempts && bound_ && preemptions_ >= *bound_) {
      ++beyond_;
      continue;
    }
    course further{beginning(whole, pick, nullptr), pick + 1, draws};
    further.what.picks.push_back({static_cast<std::uint32_t>(pick), task});
    (preempts ? later_ : now_).push_back(std::move(further));
  }
}

void dfs::add_draws(const trace& what, const schedule& whole, std::size_t draw) {
  const auto& d = what.draws[draw];
  for (std::uint32_t value = 0; value < d.bound; ++value) {
    if (value == d.value) continue;
    course further{beginning(whole, d.step, &d), d.step, draw + 1};
    if (value != 0) further.what.draws.push_back({d.step, d.nth, value});
    now_.push_back(std::move(further));
  }
}

std::string dfs::conclusion() const {
  if (tally_.executions() == 0) return {};
  const auto count = tally_.executions();
  const auto violating = tally_.violations(count);
  if (finished() && tally_.complete())
    return search_tally::all_of(count, false) +
           (bound_ ? " with at most " + counted(*bound_, "preemption") : "") + " explored" +
           violating + tally_.reservations();
  auto text = search_tally::some_of(count, false) + " explored" + violating;
  if (preemptions_ > 0)
    text += ", among them all with at most " + counted(preemptions_ - 1, "preemption");
  return text + "; there are more" + tally_.reservations();
}

}  // namespace forkloom::explore

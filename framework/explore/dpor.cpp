#include "framework/explore/dpor.hpp"

#include <algorithm>
#include <bit>
#include <span>

namespace forkloom::explore {
namespace {

task_id lowest(task_mask tasks) noexcept {
  return task_id(static_cast<std::uint16_t>(std::countr_zero(tasks)));
}

}  // namespace

bool dpor::finished() const noexcept {
  return begun_ && std::none_of(nodes_.begin(), nodes_.end(), [](const node& n) {
           const bool draws_left =
               std::any_of(n.draws.begin(), n.draws.end(),
                           [](const draw_record& d) { return d.value + 1 < d.bound; });
           return n.to_do() != 0 || draws_left;
         });
}

std::optional<attempt> dpor::next(std::uint64_t /*number*/) {
  drawn_anew_ = false;
  if (!begun_) {
    begun_ = true;
    course_ = {};
    tried_ = no_task;
    const strategy::course any{.tries_early = true};
    return attempt{.strategy = strategy::systematic(any)};
  }
  for (; !nodes_.empty(); nodes_.pop_back()) {
    auto& deepest = nodes_.back();
    follow(deepest);
    if (redraw(deepest)) {
      drawn_anew_ = true;
      return start(deepest, deepest.chosen);
    }
    if (deepest.to_do() == 0) continue;
    const auto task = lowest(deepest.to_do());
    course_.picks.push_back({static_cast<std::uint32_t>(deepest.pick), task});
    return start(deepest, task);
  }
  return std::nullopt;
}

attempt dpor::start(const node& at, task_id task) {
  tried_ = task;
  return {.strategy = strategy::systematic({.prefix = {course_.picks, course_.draws},
                                            .prefix_length = at.pick + 1,
                                            .asleep = at.asleep_after(task),
                                            .tries_early = true})};
}

// The last execution's way to the node.
void dpor::follow(const node& at) {
  course_ = {};
  for (const auto& p : last_.picks)
    if (p.step < at.pick) course_.picks.push_back(p);
  for (const auto& d : last_.draws)
    if (d.step <= at.pick) course_.draws.push_back(d);
}

// The next combination of what the chosen step can draw: the last draw that has a value left takes
// it, those before it stay, and those behind it begin anew. False if all have been.
bool dpor::redraw(const node& at) {
  auto last = at.draws.size();
  while (last > 0 && at.draws[last - 1].value + 1 >= at.draws[last - 1].bound) --last;
  if (last == 0) return false;
  course_.picks.push_back({static_cast<std::uint32_t>(at.pick), at.chosen});
  for (std::size_t i = 0; i < last; ++i) {
    const auto& d = at.draws[i];
    const auto value = i + 1 == last ? d.value + 1 : d.value;
    if (value != 0) course_.draws.push_back({d.step, d.nth, value});
  }
  return true;
}

bool dpor::departed(const trace& what) const {
  if (tried_ == no_task) return false;
  const auto pick = nodes_.back().pick;
  if (pick >= what.choices.size() || what.choices[pick].picked != tried_) return true;
  return std::any_of(course_.picks.begin(), course_.picks.end(), [&](const scheduled_pick& p) {
    return what.choices[p.step].picked != p.task;
  });
}

void dpor::learn(const trace& what, bool violated) {
  search_tally::require_few_tasks(what);
  ++executions_;
  if (departed(what)) {
    tally_.count(what, violated);
    tally_.count_departure();
    nodes_.back().waiting |= only(tried_);
    nodes_.back().draws.clear();
    return;
  }
  const auto steps = steps_of(what);
  const auto branch = nodes_.empty() ? 0 : nodes_.size() - 1;
  const partial_order order(steps, what.choices, branch);
  if (classes_.insert(order.class_hash()).second) tally_.count(what, violated);
  const bool waits =
      tried_ != no_task && (branch >= steps.done.size() || steps.done[branch].task != tried_);
  if (waits) {
    auto& at = nodes_.back();
    at.waiting |= only(tried_);
    add_waits(steps, what, branch, at.pick, only(tried_));
  }
  if (!settle_branch(steps, what)) return;
  last_ = schedule_of(what);
  const auto end = extend(steps, what);
  for (const auto& r : order.races())
    if (r.second < end) add(r, steps, order);
  const bool repeats = end < steps.done.size();
  const auto pick = repeats ? steps.done[end].pick : what.choices.size();
  add_waits(steps, what, end, pick, repeats ? ~what.choices[pick].enabled : ~task_mask{0});
  open_all_before_time_out(steps, what, end);
}

// What tasks wait to do races with what came before all the same. What comes later need not show
// that: it may be hidden behind races that cannot be turned around, or be of tasks that sleep.
void dpor::add_waits(const step_list& steps, const trace& what, std::size_t end, std::size_t pick,
                     task_mask waiting) {
  auto until = steps;
  until.done.resize(std::min(end, steps.done.size()));
  const auto choices = std::span(what.choices).first(std::min(pick + 1, what.choices.size()));
  task_mask born = 0;
  for (const auto& c : choices) born |= c.enabled;
  bool any = false;
  for (std::size_t t = 0; t < until.pending.size(); ++t) {
    const auto task = task_id(static_cast<std::uint16_t>(t));
    until.pending[t] = {};
    if ((born & waiting & only(task)) != 0) until.pending[t] = next_of(steps, what, pick, task);
    any |= until.pending[t].op != operation::none;
  }
  if (!any) return;
  const partial_order order(until, choices, until.done.size());
  for (const auto& r : order.races()) add(r, until, order);
}

// What the task is about to do at that pick; an operation none if nothing.
step dpor::next_of(const step_list& steps, const trace& what, std::size_t pick, task_id task) {
  const auto& own = steps.picks[index(task)];
  const auto next = std::lower_bound(own.begin(), own.end(), pick);
  if (next == own.end()) return steps.pending[index(task)];
  return {.task = task,
          .pick = *next,
          .op = what.choices[*next].op,
          .resource = what.choices[*next].resource,
          .touched = steps.by_pick[*next]};
}

// Enters into the deepest node what was done there. False if that was nothing new.
bool dpor::settle_branch(const step_list& steps, const trace& what) {
  if (nodes_.empty()) {
    if (steps.done.empty()) return false;
    nodes_.push_back({});
  }
  auto& n = nodes_.back();
  const auto depth = nodes_.size() - 1;
  if (depth >= steps.done.size()) return false;
  const auto& s = steps.done[depth];
  if (!drawn_anew_ && ((n.done | n.asleep) & only(s.task)) != 0) return false;
  n.pick = s.pick;
  n.chosen = s.task;
  n.draws = s.draws;
  n.enabled |= what.choices[s.pick].enabled;
  n.done |= only(s.task);
  n.backtrack |= only(s.task);
  if (s.as_announced) n.sleepable |= only(s.task);
  return true;
}

// Makes nodes for the steps below the deepest one. Returns up to which step this execution was
// needed: from there on it went where everybody slept.
std::size_t dpor::extend(const step_list& steps, const trace& what) {
  for (auto depth = nodes_.size(); depth < steps.done.size(); ++depth) {
    const auto& s = steps.done[depth];
    node n{.pick = s.pick,
           .enabled = what.choices[s.pick].enabled,
           .asleep = asleep_below(nodes_.back(), steps.done[depth - 1], steps)};
    const auto awake = n.enabled & ~n.asleep;
    if ((n.asleep & only(s.task)) != 0) {
      n.backtrack = awake & (~awake + 1);
      nodes_.push_back(std::move(n));
      return depth;
    }
    n.chosen = s.task;
    n.draws = s.draws;
    n.done = n.backtrack = only(s.task);
    if (s.as_announced) n.sleepable = n.done;
    nodes_.push_back(std::move(n));
  }
  return steps.done.size();
}

task_mask dpor::asleep_below(const node& above, const step& done, const step_list& steps) {
  auto asleep = above.asleep_after(done.task);
  for (auto rest = asleep; rest != 0; rest &= rest - 1) {
    const auto task = lowest(rest);
    if (conflict(done.touched, steps.announced(done.pick + 1, task))) asleep &= ~only(task);
  }
  return asleep;
}

// At the node before the first of the two, somebody must begin with what does not depend on it, so
// that the second can come before it.
void dpor::add(const race& r, const step_list& steps, const partial_order& order) {
  if (had_to_wait(r, steps, order)) return add_wait(r, steps, order);
  const auto all = [](std::size_t) { return true; };
  open(r.first, steps.done[r.second].task, initials(r, steps, order, r.second + 1, all));
}

// Did it never happen, or only because of what came behind the first?
bool dpor::had_to_wait(const race& r, const step_list& steps, const partial_order& order) {
  if (r.second >= steps.done.size()) return true;
  for (auto k = r.first + 1; k < r.second; ++k)
    if (order.before(r.first, k) && order.before(k, r.second)) return true;
  return false;
}

// What waits could be tried at any time. All that is certain to come before it is what its task
// did. To begin with what others did meanwhile is as good while that is still to be explored. Once
// it has been, it is asleep, which says nothing of the second without it.
void dpor::add_wait(const race& r, const step_list& steps, const partial_order& order) {
  const auto end = std::min(r.second, steps.done.size());
  const auto& second = steps.at(r.second);
  const auto all = [](std::size_t) { return true; };
  if ((initials(r, steps, order, end, all) & nodes_[r.first].to_do()) != 0) return;
  const auto needed_for = [&](std::size_t last) {
    const auto before = [&](std::size_t k) { return order.before(k, last); };
    return initials(r, steps, order, last + 1, before);
  };
  auto own = end - 1;
  while (own > r.first && steps.done[own].task != second.task) --own;
  if (own > r.first) return open(r.first, second.task, needed_for(own));
  open(r.first, second.task, only(second.task));
  // Each of the others that it depends on may be what lets it happen.
  for (auto k = r.first + 1; k < end; ++k)
    if (!order.before(r.first, k) && conflict(steps.done[k].touched, second.touched))
      open(r.first, second.task, needed_for(k));
}

// The paper's I(v): who can begin v, which is what is needed of the steps between the first of the
// race and the end that do not depend on it; and the second.
template <class Needed>
task_mask dpor::initials(const race& r, const step_list& steps, const partial_order& order,
                         std::size_t end, const Needed& needed) {
  std::vector<std::size_t> v;
  task_mask seen = 0;
  task_mask found = 0;
  for (auto k = r.first + 1; k < end; ++k) {
    if (k != r.second && (order.before(r.first, k) || !needed(k))) continue;
    const auto task = only(steps.done[k].task);
    if ((seen & task) == 0 &&
        std::none_of(v.begin(), v.end(), [&](std::size_t m) { return order.before(m, k); }))
      found |= task;
    seen |= task;
    v.push_back(k);
  }
  return found;
}

void dpor::open(std::size_t node_number, task_id preferred, task_mask initials) {
  auto& at = nodes_[node_number];
  if ((initials & (at.backtrack | at.asleep)) != 0) return;
  if ((initials & ~at.waiting) == 0) return;
  const auto able = initials & at.enabled & ~at.waiting;
  if (able == 0)
    at.backtrack |= at.enabled;
  else
    at.backtrack |= (able & only(preferred)) != 0 ? only(preferred) : only(lowest(able));
}

// A deadline comes after so many steps, whoever takes them, or when nobody else can go on. In the
// first case other steps in its place would have let it come at another point: all are explored.
void dpor::open_all_before_time_out(const step_list& steps, const trace& what, std::size_t end) {
  for (std::size_t i = 0; i < end; ++i) {
    const auto& s = steps.done[i];
    if (!s.expired) continue;
    auto first = s.pick;
    while (first > 0 && (what.choices[first - 1].expired & only(s.task)) != 0) --first;
    if (what.choices[first].enabled == what.choices[first].expired) continue;
    for (auto k = i + 1; k-- > 0 && (k == i || steps.done[k].task != s.task);)
      nodes_[k].backtrack |= nodes_[k].enabled;
  }
}

std::string dpor::conclusion() const {
  if (tally_.executions() == 0) return {};
  const bool all = finished() && tally_.complete();
  return (all ? search_tally::all_of(classes(), true) : search_tally::some_of(classes(), true)) +
         " explored" + tally_.violations(classes()) + (all ? "" : "; there are more") +
         search_tally::repeated(executions_, classes()) + tally_.reservations();
}

}  // namespace forkloom::explore

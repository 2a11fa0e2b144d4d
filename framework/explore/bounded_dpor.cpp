#include "framework/explore/bounded_dpor.hpp"

#include <algorithm>
#include <utility>

#include "framework/strategy/dependence.hpp"
#include "framework/strategy/random.hpp"
#include "framework/trace/counted.hpp"

namespace forkloom::explore {
namespace {

// Does a deadline come while others could go on? That goes by the number of steps, whoever takes
// them.
bool time_decides(const trace& what) {
  return std::any_of(what.choices.begin(), what.choices.end(), [](const choice_record& c) {
    return c.expired != 0 && c.expired != c.enabled;
  });
}

// Of one that only looks on it may depend on the others whether it can go on.
bool only_looks(operation op) {
  return op == operation::load || op == operation::modify || op == operation::yield ||
         op == operation::clock_read;
}

bool begins_with(const std::vector<draw_record>& all, const std::vector<draw_record>& first) {
  return all.size() >= first.size() &&
         std::equal(first.begin(), first.end(), all.begin(),
                    [](const draw_record& a, const draw_record& b) { return a.value == b.value; });
}

// The draws of an execution that is missing, if any is: each value of each draw must have been
// seen behind the values before it.
std::optional<std::vector<draw_record>> missing_draws(
    const std::vector<std::vector<draw_record>>& seen) {
  for (const auto& draws : seen)
    for (std::size_t i = 0; i < draws.size(); ++i)
      for (std::uint32_t value = 0; value < draws[i].bound; ++value) {
        std::vector<draw_record> wanted(draws.begin(),
                                        draws.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        wanted.back().value = value;
        if (std::none_of(seen.begin(), seen.end(),
                         [&](const auto& other) { return begins_with(other, wanted); }))
          return wanted;
      }
  return std::nullopt;
}

}  // namespace

bool bounded_dpor::finished() const noexcept {
  return begun_ && now_.empty() && later_.empty() && states_.size() < states_max;
}

std::optional<attempt> bounded_dpor::next(std::uint64_t /*number*/) {
  if (!begun_) {
    begun_ = true;
    course_ = {};
    picks_.clear();
    return attempt{.strategy = strategy::systematic(strategy::course{})};
  }
  while (states_.size() < states_max) {
    if (now_.empty()) {
      std::swap(now_, later_);
      ++preemptions_;
    }
    if (now_.empty()) break;
    const auto b = now_.back();
    const auto o = look_up(b);
    if (!o.known) return start(b, o);
    now_.pop_back();
    take(b, o);
  }
  return std::nullopt;
}

bounded_dpor::outlook bounded_dpor::look_up(const branch& b) const {
  const auto& at = states_[b.from];
  const auto where = cut_at(b.from);
  if (known_[at.home].is_away(where, b.task)) return {.known = true};
  outlook o;
  std::vector<std::vector<draw_record>> seen;
  const auto look_at = [&](std::uint32_t number) {
    const auto* step = known_[number].next(where, b.task);
    if (step == nullptr || known_[number].hash_at(where) != at.hash) return false;
    if (std::find(seen.begin(), seen.end(), step->draws) != seen.end()) return false;
    o.shown_by.push_back(number);
    seen.push_back(step->draws);
    return step->draws.empty();
  };
  if (!look_at(at.home))
    for (std::uint32_t i = 0; i < known_.size() && !look_at(i);) ++i;
  if (!seen.empty()) {
    const auto missing = missing_draws(seen);
    o.known = !missing;
    if (missing) o.draws = *missing;
    return o;
  }
  o.known = has_to_wait(at, where, b.task);
  return o;
}

bool bounded_dpor::has_to_wait(const state& at, const cut& where, task_id task) const {
  return unable_.contains(key(at.hash, task)) || known_[at.home].wants_held_lock(where, task) ||
         waiting_.contains(known_[at.home].history(where, task));
}

// Requires that all is known of it.
void bounded_dpor::take(const branch& b, const outlook& o) {
  const auto where = cut_at(b.from);
  const auto& at = states_[b.from];
  if (b.goes_on) {
    const auto& home = known_[at.home];
    const auto& done = home.at(b.task, where[index(b.task)] - 1);
    const bool able = !o.shown_by.empty();
    const bool tries = !able && !done.waits && !home.is_away(where, b.task) &&
                       home.announced(where, b.task).tries_unnoticed;
    add_others(b.from, where, able, tries);
  }
  for (const auto number : o.shown_by) {
    auto further = where;
    further.resize(std::max(further.size(), known_[number].tasks()));
    ++further[index(b.task)];
    enter({.before = b.from,
           .home = number,
           .hash = known_[number].hash_at(further).value_or(0),
           .depth = states_[b.from].depth + 1,
           .last = b.task,
           .after_attempt = b.after_attempt},
          further);
  }
}

void bounded_dpor::enter(const state& s, const cut& where) {
  if (!entered_.insert(key(s.hash, s.last)).second) return;
  const auto& home = known_[s.home];
  if (home.ends_at(where)) return;
  states_.push_back(s);
  const auto number = static_cast<std::uint32_t>(states_.size() - 1);
  if (s.last == no_task || home.at(s.last, where[index(s.last)] - 1).yields) {
    add_others(number, where, false, false);
    if (s.last != no_task) now_.push_back({.from = number, .task = s.last});
    return;
  }
  now_.push_back({.from = number, .task = s.last, .goes_on = true});
}

void bounded_dpor::add_others(std::uint32_t from, const cut& where, bool goes_on,
                              bool after_attempt) {
  const auto at = states_[from];
  for (auto i = known_[at.home].tasks(); i-- > 0;) {
    const auto task = task_id(static_cast<std::uint16_t>(i));
    if (task == at.last || known_[at.home].is_away(where, task)) continue;
    const branch b{.from = from, .task = task, .after_attempt = after_attempt};
    if (!goes_on)
      now_.push_back(b);
    else if (preemptions_ < bound_)
      later_.push_back(b);
    else
      left_out_ = true;
  }
}

attempt bounded_dpor::start(const branch& b, const outlook& o) {
  course_ = {};
  picks_.clear();
  const auto& home = known_[states_[b.from].home];
  cut where(home.tasks());
  std::uint32_t pick = 0;
  const auto do_step = [&](task_id last, bool after_attempt, task_id task,
                           const std::vector<draw_record>& draws) {
    if (after_attempt) course_.picks.push_back({pick++, last});
    picks_.push_back(pick);
    course_.picks.push_back({pick++, task});
    for (const auto& d : draws)
      if (d.value != 0) course_.draws.push_back({pick, d.nth, d.value});
  };
  for (const auto number : way_to(b.from)) {
    const auto& s = states_[number];
    do_step(states_[s.before].last, s.after_attempt, s.last,
            home.at(s.last, where[index(s.last)]++).draws);
  }
  do_step(states_[b.from].last, b.after_attempt, b.task, o.draws);
  return {.strategy = strategy::systematic(
              {.prefix = {course_.picks, course_.draws}, .prefix_length = pick})};
}

void bounded_dpor::learn(const trace& what, bool violated) {
  search_tally::require_few_tasks(what);
  ++executions_;
  const bool anew = !timed_ && time_decides(what);
  if (anew) begin_anew();
  auto steps = steps_of(what);
  if (timed_)
    for (auto& s : steps.done) s.touched.everything = true;
  const partial_order order(steps, what.choices, steps.done.size() + steps.pending.size());
  const bool is_new = classes_.insert(order.class_hash()).second;
  if (is_new) tally_.count(what, violated);
  known_execution shown(what, steps, order);
  note_waits(what, steps, shown);
  const bool first = known_.empty();
  known_.push_back(std::move(shown));
  if (first)
    enter({}, cut(what.tasks.size()));
  else
    settle(now_.back(), what, steps);
}

// Enters what the execution came to of which the branch was the reason. If it could not be taken,
// it is left alone.
void bounded_dpor::settle(const branch& b, const trace& what, const step_list& steps) {
  auto& from = states_[b.from];
  const auto where = cut_at(b.from);
  const auto followed = [&](const scheduled_pick& p) {
    return p.step < what.choices.size() && what.choices[p.step].picked == p.task;
  };
  const auto depth = picks_.size() - 1;
  bool kept_to_course = steps.done.size() >= depth;
  for (std::size_t i = 0; kept_to_course && i < depth; ++i)
    kept_to_course = steps.done[i].pick == picks_[i] && followed(course_.picks[picks_[i]]);
  const auto wanted = course_.picks.back();
  if (!kept_to_course) {
    tally_.count_departure();
  } else if (followed(wanted) && steps.done.size() > depth &&
             steps.done[depth].pick == wanted.step) {
    // What was taken to touch others may not be what it turns out to touch in the end.
    from.home = static_cast<std::uint32_t>(known_.size() - 1);
    from.hash = known_.back().hash_at(where).value_or(from.hash);
    return;
  } else if (wanted.step < what.choices.size() && !followed(wanted) &&
             (what.choices[wanted.step].enabled & only(wanted.task)) != 0) {
    tally_.count_departure();
  }
  unable_.insert(key(from.hash, b.task));
}

// Who could not go on, and what of the past that depends on, if it is known.
void bounded_dpor::note_waits(const trace& what, const step_list& steps,
                              const known_execution& shown) {
  cut where(what.tasks.size());
  auto next = steps.done.begin();
  for (std::size_t pick = 0; pick < what.choices.size(); ++pick) {
    const auto& c = what.choices[pick];
    const auto hash = shown.hash_at(where).value_or(0);
    for (std::size_t t = 0; t < what.tasks.size(); ++t) {
      const auto task = task_id(static_cast<std::uint16_t>(t));
      if ((c.enabled & only(task)) != 0 || shown.is_away(where, task)) continue;
      unable_.insert(key(hash, task));
      if (pick > 0 && what.choices[pick - 1].picked == task && !c.left_waiting_for_time &&
          !only_looks(shown.announced(where, task).op))
        waiting_.insert(shown.history(where, task));
    }
    if (next != steps.done.end() && next->pick == pick) ++where[index((next++)->task)];
  }
}

// What was taken for one class may be many.
void bounded_dpor::begin_anew() {
  timed_ = true;
  preemptions_ = 0;
  left_out_ = false;
  now_.clear();
  later_.clear();
  known_.clear();
  states_.clear();
  entered_.clear();
  waiting_.clear();
  unable_.clear();
}

std::vector<std::uint32_t> bounded_dpor::way_to(std::uint32_t number) const {
  std::vector<std::uint32_t> way(states_[number].depth);
  for (auto i = way.size(); i-- > 0; number = states_[number].before) way[i] = number;
  return way;
}

cut bounded_dpor::cut_at(std::uint32_t number) const {
  cut where(known_[states_[number].home].tasks());
  for (; states_[number].depth > 0; number = states_[number].before)
    ++where[index(states_[number].last)];
  return where;
}

std::uint64_t bounded_dpor::key(std::uint64_t hash, task_id task) noexcept {
  return strategy::mix(hash ^ strategy::mix(index(task) + 1));
}

std::string bounded_dpor::conclusion() const {
  if (tally_.executions() == 0) return {};
  const auto within = " with at most " + counted(bound_, "preemption");
  const auto explored = " explored" + tally_.violations(classes());
  std::string text;
  if (!finished() || !tally_.complete()) {
    text = search_tally::some_of(classes(), true) + explored;
    if (preemptions_ > 0)
      text += ", among them all with at most " + counted(preemptions_ - 1, "preemption");
    text += "; there are more";
  } else if (left_out_) {
    text = search_tally::all_of(classes(), true) + within + explored;
  } else {
    text = search_tally::all_of(classes(), true) + explored + "; the bound of " +
           counted(bound_, "preemption") + " left nothing out";
  }
  return text + search_tally::repeated(executions_, classes()) + tally_.reservations();
}

}  // namespace forkloom::explore

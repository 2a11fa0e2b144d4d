#include "framework/shrink/search.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace forkloom::shrink {
namespace {

// What is known of an execution's steps. A step is the number of its pick, from 0; the events of
// pick n say n + 1.
class survey {
 public:
  explicit survey(const trace& what) : what_(what), by_step_(what.schedule.size()) {
    for (std::size_t i = 0; i < what.events.size(); ++i) {
      const auto& e = what.events[i];
      if (e.resource != no_resource) note_user(e.resource, e.task);
      if (e.step == 0 || e.step > by_step_.size()) continue;
      by_step_[e.step - 1].push_back(i);
    }
    for (std::uint32_t step = 0; step < what.schedule.size(); ++step)
      picks_[what.schedule[step]].push_back(step);
  }

  // Does the step concern anybody else? A task's end does: what it held is free then.
  [[nodiscard]] bool matters(std::uint32_t step) const {
    return any_event(step, [&](const event& e) {
      if (e.op == operation::exit) return true;
      const auto user = users_.find(e.resource);
      return user != users_.end() && user->second == no_task;
    });
  }

  [[nodiscard]] bool is_at(std::uint32_t step, std::string_view place) const {
    return any_event(step, [&](const event& e) {
      return what_.resource_name(e.resource) == place || what_.resource_name(e.second) == place;
    });
  }

  // Could the task have gone at that step? Only if it went later, or would have; and if it was
  // found to wait, only if somebody else has done something since.
  [[nodiscard]] bool may_go(task_id task, std::uint32_t step) const {
    const bool lives = what_.tasks[index(task)].end.kind == task_end::how::alive;
    const auto own = picks_.find(task);
    if (own == picks_.end()) return lives;
    if (own->second.back() < step && !lives) return false;
    const auto next = std::lower_bound(own->second.begin(), own->second.end(), step);
    if (next == own->second.begin()) return true;
    const auto last = *std::prev(next);
    if (by_step_[last].empty()) return true;
    const auto at = by_step_[last].back();
    const auto& waited = what_.events[at];
    if (waited.task != task || waited.how != outcome::blocked) return true;
    return std::any_of(what_.events.begin() + static_cast<std::ptrdiff_t>(at), what_.events.end(),
                       [&](const event& e) { return e.task != task && e.step <= step; });
  }

 private:
  template <class Predicate>
  [[nodiscard]] bool any_event(std::uint32_t step, Predicate holds) const {
    return std::any_of(by_step_[step].begin(), by_step_[step].end(),
                       [&](std::size_t i) { return holds(what_.events[i]); });
  }

  // no_task stands for more than one.
  void note_user(resource_id resource, task_id task) {
    const auto [user, is_new] = users_.try_emplace(resource, task);
    if (!is_new && user->second != task) user->second = no_task;
  }

  const trace& what_;
  std::vector<std::vector<std::size_t>> by_step_;
  std::map<resource_id, task_id> users_;
  std::map<task_id, std::vector<std::uint32_t>> picks_;
};

}  // namespace

std::vector<disturbance> disturbances_of(const trace& what, std::string_view place,
                                         bool with_draws) {
  constexpr std::uint32_t values_max = 4;
  const survey known(what);
  const auto own = schedule_of(what);
  const auto after_pick = own.picks.empty() ? 0 : own.picks.back().step + 1;
  const auto last_draw = own.draws.empty() ? scheduled_draw{} : own.draws.back();
  std::vector<disturbance> all;
  const auto begin = std::max(after_pick, last_draw.step);
  for (auto step = begin; step < what.schedule.size(); ++step) {
    const bool goes_on = step > 0 && what.schedule[step] == what.schedule[step - 1];
    if (goes_on && !known.matters(step)) continue;
    const bool elsewhere = goes_on && !known.is_at(step, place);
    for (std::uint16_t i = 0; i < what.tasks.size(); ++i) {
      if (task_id(i) == what.schedule[step] || !known.may_go(task_id(i), step)) continue;
      auto made = own;
      made.picks.push_back({step, task_id(i)});
      all.push_back({std::move(made), goes_on, false, elsewhere});
    }
  }
  for (const auto& draw : what.draws) {
    const bool behind = own.draws.empty() ||
                        std::pair(draw.step, draw.nth) > std::pair(last_draw.step, last_draw.nth);
    if (!with_draws || draw.step < begin || !behind) continue;
    for (std::uint32_t value = 1; value < std::min(draw.bound, values_max); ++value) {
      auto made = own;
      made.draws.push_back({draw.step, draw.nth, value});
      all.push_back({std::move(made), false, true, false});
    }
  }
  return all;
}

}  // namespace forkloom::shrink

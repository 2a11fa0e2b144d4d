#include "framework/explore/steer.hpp"

#include <algorithm>
#include <cstddef>
#include <map>

namespace forkloom::explore {
namespace {

// The call's first event: it may have blocked some times before it had the lock.
std::size_t first_attempt(const trace& what, std::size_t taken) {
  const auto& last = what.events[taken];
  auto first = taken;
  for (auto i = taken; i-- > 0;) {
    const auto& e = what.events[i];
    if (e.task != last.task) continue;
    if (e.how == outcome::completed || e.op != last.op || e.resource != last.resource) break;
    first = i;
  }
  return first;
}

// Of each task of the circle, how many picks it has before it asks for its second lock. Its last
// event of the evidence is the one that took it.
std::map<task_id, std::size_t> picks_before_second_lock(const trace& what,
                                                        const violation& predicted) {
  std::map<task_id, std::size_t> taken;
  for (const auto i : predicted.evidence)
    if (i < what.events.size()) taken[what.events[i].task] = i;
  for (auto& [task, event] : taken) {
    // The first pick is step 1.
    const auto step = what.events[first_attempt(what, event)].step;
    const auto end = std::min<std::size_t>(step == 0 ? 0 : step - 1, what.schedule.size());
    event = static_cast<std::size_t>(std::count(
        what.schedule.begin(), what.schedule.begin() + static_cast<std::ptrdiff_t>(end), task));
  }
  return taken;
}

}  // namespace

schedule steered_into(const trace& what, const violation& predicted) {
  auto left = picks_before_second_lock(what, predicted);
  schedule made;
  const auto pick = [&](task_id task) {
    made.picks.push_back({static_cast<std::uint32_t>(made.picks.size()), task});
  };
  const auto all_there = [&] {
    return std::all_of(left.begin(), left.end(), [](const auto& one) { return one.second == 0; });
  };
  for (const auto task : what.schedule) {
    if (all_there()) break;
    const auto held = left.find(task);
    if (held != left.end() && held->second == 0) continue;
    if (held != left.end()) --held->second;
    pick(task);
  }
  for (const auto& [task, none] : left) pick(task);
  return made;
}

}  // namespace forkloom::explore

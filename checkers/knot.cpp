#include "checkers/knot.hpp"

#include <algorithm>

namespace forkloom::checkers {
bool lives(const trace& what, task_id task) {
  return index(task) < what.tasks.size() &&
         what.tasks[index(task)].end.kind == task_end::how::alive;
}

std::vector<const wait_record*> knot(const trace& what) {
  std::vector<const wait_record*> members;
  std::vector<bool> is_member(what.tasks.size(), false);
  for (const auto& wait : what.waits) {
    if (!lives(what, wait.task)) continue;
    members.push_back(&wait);
    is_member[index(wait.task)] = true;
  }
  // Leaving out a task that can be helped may help others, so this goes on until nothing changes.
  // What is left is the greatest such set: only tasks that no set could keep were ever removed.
  const auto has_help = [&](const wait_record* wait) {
    const bool helped = std::any_of(
        wait->releasers.begin(), wait->releasers.end(),
        [&](task_id releaser) { return lives(what, releaser) && !is_member[index(releaser)]; });
    if (helped) is_member[index(wait->task)] = false;
    return helped;
  };
  while (std::erase_if(members, has_help) != 0) {
  }
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->task < b->task; });
  return members;
}

}  // namespace forkloom::checkers

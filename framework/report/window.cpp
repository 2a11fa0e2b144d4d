#include "framework/report/window.hpp"

#include <algorithm>

namespace forkloom::report {
namespace {

constexpr std::size_t lanes_max = 6;
constexpr std::size_t short_enough = 30;  // rows that still fit the eye
constexpr std::size_t context = 3;        // rows around each piece of evidence
constexpr std::size_t evidence_max = 12;  // from more, the first and last half

bool contains(std::span<const task_id> tasks, task_id task) {
  return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

void add(std::vector<task_id>& tasks, task_id task) {
  if (task != no_task && !contains(tasks, task)) tasks.push_back(task);
}

std::vector<std::size_t> valid_evidence(const trace& what, const violation& found) {
  std::vector<std::size_t> valid;
  for (const auto i : found.evidence)
    if (i < what.events.size()) valid.push_back(i);
  return valid;
}

// The first and the last of many.
std::vector<std::size_t> ends_of(std::vector<std::size_t> evidence) {
  if (evidence.size() <= evidence_max) return evidence;
  const auto half = static_cast<std::ptrdiff_t>(evidence_max / 2);
  evidence.erase(evidence.begin() + half, evidence.end() - half);
  return evidence;
}

}  // namespace

std::vector<task_id> shown_tasks(const trace& what, const violation& found) {
  std::vector<task_id> tasks;
  const bool few = what.tasks.size() <= lanes_max;
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    const bool involved =
        std::find(found.tasks.begin(), found.tasks.end(), what.tasks[i].name) != found.tasks.end();
    if (few || involved) add(tasks, static_cast<task_id>(i));
  }
  if (tasks.empty())
    for (const auto i : valid_evidence(what, found)) add(tasks, what.events[i].task);
  if (tasks.empty())
    for (std::size_t i = 0; i < lanes_max && i < what.tasks.size(); ++i)
      add(tasks, static_cast<task_id>(i));
  std::sort(tasks.begin(), tasks.end());
  return tasks;
}

std::vector<std::size_t> shown_events(const trace& what, const violation& found,
                                      std::span<const task_id> tasks, bool everything) {
  std::vector<std::size_t> candidates;  // ascending
  for (std::size_t i = 0; i < what.events.size(); ++i)
    if (contains(tasks, what.events[i].task)) candidates.push_back(i);
  if (everything || candidates.size() <= short_enough) return candidates;

  const auto evidence = ends_of(valid_evidence(what, found));
  if (evidence.empty())
    return {candidates.end() - static_cast<std::ptrdiff_t>(short_enough), candidates.end()};

  std::vector<bool> near(candidates.size());
  for (const auto proof : evidence) {
    const auto found_at = std::lower_bound(candidates.begin(), candidates.end(), proof);
    const auto at = static_cast<std::size_t>(found_at - candidates.begin());
    const auto first = at < context ? 0 : at - context;
    for (auto i = first; i <= at + context && i < near.size(); ++i) near[i] = true;
  }
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (near[i]) shown.push_back(candidates[i]);
  return shown;
}

}  // namespace forkloom::report

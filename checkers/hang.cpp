// Hang: the execution did not come to its end although tasks could run. A livelock (many steps,
// nothing changes), or a task that computes and never comes back. If tasks wait for each other in a
// knot, that deadlock explains the execution, and the hang is not told again.

#include <algorithm>

#include "checkers/checker.hpp"
#include "checkers/knot.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

// The tasks that ran in a livelock are those of the last picks. Its round is not known; this many
// picks hold some rounds of any livelock that a person could read.
constexpr std::size_t picks_looked_at = 1000;

std::vector<task_id> last_runners(const trace& what) {
  const auto count = std::min(picks_looked_at, what.schedule.size());
  std::vector<task_id> runners(what.schedule.end() - static_cast<std::ptrdiff_t>(count),
                               what.schedule.end());
  std::sort(runners.begin(), runners.end());
  runners.erase(std::unique(runners.begin(), runners.end()), runners.end());
  return runners;
}

violation hang(const trace& what, std::string message, const std::vector<task_id>& tasks) {
  violation found{
      .kind = violation_kind::hang, .message = std::move(message), .tasks = names(what, tasks)};
  for (const auto task : tasks) {
    const auto last = last_event(what, task);
    if (last == no_event) continue;
    found.evidence.push_back(last);
    found.details.push_back(text(what.task_name(task), " was last seen in its ", call(what, last)));
  }
  found.evidence = evidence(std::move(found.evidence));
  return found;
}

std::vector<task_id> waiting(const trace& what) {
  std::vector<task_id> tasks;
  for (const auto& wait : what.waits) tasks.push_back(wait.task);
  return tasks;
}

}  // namespace

std::vector<violation> check_hang(const trace& what, const limits&) {
  if (!knot(what).empty()) return {};
  switch (what.how) {
    case ending::step_limit: {
      const auto runners = last_runners(what);
      return {hang(what,
                   text(runners.empty() ? "the tasks" : listed(names(what, runners)),
                        " kept running and came to no end: ",
                        what.detail.empty() ? "the step limit was reached" : what.detail),
                   runners)};
    }
    case ending::spinning: {
      const auto last = last_event(what, what.culprit);
      return {
          hang(what,
               text(what.task_name(what.culprit), " burns processor time and does not come back",
                    last == no_event ? "" : " after its " + call(what, last)),
               {what.culprit})};
    }
    case ending::stuck: {
      const auto tasks = waiting(what);
      return {hang(what,
                   text("no task can go on, for a reason that the trace does not tell (",
                        tasks.empty() ? "none waits" : listed(names(what, tasks)) + " wait", ")"),
                   tasks)};
    }
    default:
      return {};
  }
}

}  // namespace forkloom::checkers

// Exit: a process that the scenario declared ended with an exit code that the scenario does not
// allow. What a process of its own making (a nested fork) ends with is its parent's business, and
// an exit after a failed expectation or an exception is told by those.

#include <algorithm>

#include "checkers/checker.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

bool explained_otherwise(const trace& what, task_id task) {
  return std::any_of(what.failures.begin(), what.failures.end(),
                     [&](const auto& failure) { return process_of(what, failure.task) == task; });
}

}  // namespace

std::vector<violation> check_exit(const trace& what, const limits&) {
  std::vector<violation> found;
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    const auto task = task_id(i);
    const auto& record = what.tasks[i];
    const auto& end = record.end;
    if (end.kind != task_end::how::exited || end.code == end.expected_code || end.allowed) continue;
    if (record.parent != no_task || record.thread_of != no_task || explained_otherwise(what, task))
      continue;
    const auto last = last_event_of_process(what, task);
    found.push_back(
        {.kind = violation_kind::exit,
         .message = text(record.name, " ended with exit code ", end.code,
                         end.expected_code == 0 ? "" : text(" instead of ", end.expected_code),
                         last == no_event ? "" : " after its " + call(what, last)),
         .tasks = {record.name},
         .evidence = evidence({last, death_of(what, task)})});
  }
  return found;
}

}  // namespace forkloom::checkers

// Crash: a task was ended by a signal that the scenario does not allow, or an exception left a
// body. A task that was killed because the execution was stopped counts as alive, so it is never
// here.

#include <cstring>

#include <algorithm>
#include <csignal>
#include <tuple>

#include "checkers/checker.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

std::string signal_name(int number) {
  const char* abbreviation = sigabbrev_np(number);
  return abbreviation != nullptr ? text("SIG", abbreviation) : text("signal ", number);
}

// A signal ends a process; the thread that came last is the one that it struck, unless it came from
// elsewhere.
violation died(const trace& what, task_id task) {
  const auto last = last_event_of_process(what, task);
  const auto who = what.task_name(task);
  const bool in_thread = last != no_event && what.events[last].task != task;
  const auto thread = in_thread ? text(" in ", what.task_name(what.events[last].task)) : "";
  return {.kind = violation_kind::crash,
          .message = text(who, " was ended by ", signal_name(what.tasks[index(task)].end.code),
                          last == no_event ? "" : " after its " + call(what, last) + thread),
          .tasks = {who},
          .evidence = evidence({last, death_of(what, task)})};
}

violation threw(const trace& what, const failure_record& failure) {
  const auto last = failure.task == no_task ? no_event : last_event(what, failure.task);
  const auto who = what.task_name(failure.task);
  violation found{.kind = violation_kind::crash,
                  .message = text("an exception left the body of ", who, ": ", failure.text),
                  .tasks = {who},
                  .evidence = evidence({last})};
  if (last != no_event) found.details.push_back(text("its last call was ", call(what, last)));
  return found;
}

// Was it sent the signal that ended it, by another task? The event tells which signal, and for one
// target, 1 + its task.
bool was_sent(const trace& what, task_id task, int signal) {
  return std::any_of(what.events.begin(), what.events.end(), [&](const event& e) {
    return e.op == operation::signal_send && e.how == outcome::completed && e.error == 0 &&
           e.task != task && e.before == static_cast<std::uint64_t>(signal) &&
           (e.after == 0 || e.after == index(task) + 1);
  });
}

}  // namespace

std::vector<violation> check_crash(const trace& what, const limits&) {
  std::vector<violation> found;
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    const auto& [end, parent] = std::tie(what.tasks[i].end, what.tasks[i].parent);
    if (what.tasks[i].thread_of != no_task) continue;  // it died with its process
    // A child that was killed is its parent's business, as its exit code is.
    const bool killed_child =
        parent != no_task && (end.code == SIGKILL || was_sent(what, task_id(i), end.code));
    const bool excused = end.allowed || killed_child || killed_by_fault(what, task_id(i));
    if (end.kind == task_end::how::signalled && !excused) found.push_back(died(what, task_id(i)));
  }
  for (const auto& failure : what.failures)
    if (failure.kind == failure_record::what::exception) found.push_back(threw(what, failure));
  return found;
}

}  // namespace forkloom::checkers

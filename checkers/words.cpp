#include "checkers/words.hpp"

#include <algorithm>

#include "checkers/semaphore_locks.hpp"
#include "framework/trace/record_range.hpp"

namespace forkloom::checkers {
namespace {

template <class Matches>
std::size_t last_that(const trace& what, Matches matches) {
  for (auto i = what.events.size(); i-- > 0;)
    if (matches(what.events[i])) return i;
  return no_event;
}

}  // namespace

std::string at(const trace& what, std::size_t event) {
  if (event >= what.events.size()) return {};
  const auto line = what.source(what.events[event]);
  return line.empty() ? line : " at " + line;
}

std::string call(const trace& what, std::size_t event) {
  const auto& e = what.events[event];
  const auto resource = thing(what, e, e.resource);
  return text(name(e.op), resource.empty() ? "" : " of ", resource, at(what, event));
}

std::string thing(const trace& what, const event& e, resource_id resource) {
  if (const auto set = set_of(resource); set != no_resource)
    return text("semaphore ", number_in_set(resource), " of ", what.resource_name(set));
  const auto named = what.resource_name(resource);
  return has_record_range(e) ? text(named, " ", words(range_of(e))) : named;
}

std::string listed(std::span<const std::string> names) {
  const std::size_t shown = names.size() > 4 ? 3 : names.size();
  std::string all;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) all += i + 1 == names.size() ? " and " : ", ";
    all += names[i];
  }
  return shown == names.size() ? all : text(all, " and ", names.size() - shown, " more");
}

std::vector<std::string> names(const trace& what, std::span<const task_id> tasks) {
  std::vector<std::string> found;
  for (const auto task : tasks) {
    auto called = what.task_name(task);
    if (std::find(found.begin(), found.end(), called) == found.end())
      found.push_back(std::move(called));
  }
  return found;
}

std::size_t last_event(const trace& what, task_id task) {
  return last_that(what, [&](const event& e) { return e.task == task && e.op != operation::exit; });
}

std::size_t last_event_of_process(const trace& what, task_id main) {
  return last_that(what, [&](const event& e) {
    return e.op != operation::exit && process_of(what, e.task) == main;
  });
}

task_id process_of(const trace& what, task_id task) {
  if (index(task) >= what.tasks.size()) return task;
  const auto main = what.tasks[index(task)].thread_of;
  return main == no_task ? task : main;
}

std::size_t death_of(const trace& what, task_id task) {
  if (index(task) < what.tasks.size() && what.tasks[index(task)].end.kind == task_end::how::alive)
    return no_event;
  return last_that(what, [&](const event& e) {
    return e.task == task && (e.op == operation::exit || e.op == operation::thread_exit);
  });
}

bool killed_by_fault(const trace& what, task_id task) {
  return death_by_fault(what, task) != no_event;
}

bool killed_by_fault(const trace& what) {
  return std::any_of(what.events.begin(), what.events.end(), kills_by_fault);
}

std::size_t death_by_fault(const trace& what, task_id task) {
  const auto process = process_of(what, task);
  return last_that(what, [&](const event& e) {
    return kills_by_fault(e) && process_of(what, e.task) == process;
  });
}

std::string death_in_words(const trace& what, task_id task) {
  const auto fault = death_by_fault(what, task);
  return fault == no_event ? "died"
                           : text("was killed by a fault at step ", what.events[fault].step);
}

std::vector<std::size_t> evidence(std::vector<std::size_t> events) {
  std::sort(events.begin(), events.end());
  events.erase(std::unique(events.begin(), events.end()), events.end());
  if (!events.empty() && events.back() == no_event) events.pop_back();
  return events;
}

}  // namespace forkloom::checkers

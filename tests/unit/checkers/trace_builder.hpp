// Traces written by hand, one line an event. Every event gets a source line of its own,
// "code.cpp:<index>", unless the test says another.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "checkers/checker.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::testing {

struct values {
  std::int64_t result = 0;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::int32_t error = 0;
  resource_id second = no_resource;
};

class trace_builder {
 public:
  task_id task(std::string name, task_id parent = no_task) {
    made_.tasks.push_back({.name = std::move(name), .parent = parent});
    return task_id(made_.tasks.size() - 1);
  }

  // A further thread of that process.
  task_id thread(std::string name, task_id process) {
    made_.tasks.push_back({.name = std::move(name), .parent = process, .thread_of = process});
    return task_id(made_.tasks.size() - 1);
  }

  resource_id resource(std::string name, resource_kind kind) {
    made_.resources.push_back({.name = std::move(name), .kind = kind});
    return resource_id(static_cast<std::uint32_t>(made_.resources.size() - 1));
  }
  resource_id memory(std::string name) { return resource(std::move(name), resource_kind::memory); }
  resource_id mutex(std::string name) { return resource(std::move(name), resource_kind::mutex); }

  // A call that returned; each returns the index of its event.
  std::size_t does(task_id task, operation op, resource_id on = no_resource, values v = {}) {
    return add(task, op, on, v, outcome::completed);
  }
  std::size_t blocks(task_id task, operation op, resource_id on, resource_id second = no_resource) {
    return add(task, op, on, {.second = second}, outcome::blocked);
  }

  std::size_t load(task_id task, resource_id x, std::uint64_t value) {
    return does(task, operation::load, x, {.before = value});
  }
  std::size_t store(task_id task, resource_id x, std::uint64_t old, std::uint64_t value) {
    return does(task, operation::store, x, {.before = old, .after = value});
  }
  std::size_t modify(task_id task, resource_id x, std::uint64_t old, std::uint64_t value) {
    return does(task, operation::modify, x, {.before = old, .after = value});
  }
  std::size_t lock(task_id task, resource_id m) {
    owner(m, task);
    return does(task, operation::mutex_lock, m);
  }
  std::size_t unlock(task_id task, resource_id m) {
    owner(m, no_task);
    return does(task, operation::mutex_unlock, m);
  }

  std::size_t forks(task_id parent, task_id child, resource_id children = no_resource) {
    return does(parent, operation::fork, children, {.result = 1000, .after = index(child)});
  }
  std::size_t reaps(task_id parent, task_id child, resource_id children = no_resource) {
    return does(parent, operation::wait_child, children, {.result = 1000, .after = index(child)});
  }

  std::size_t creates(task_id creator, task_id thread, resource_id as, bool detached = false) {
    return does(creator, operation::thread_create, as,
                {.before = detached ? 1U : 0U, .after = index(thread)});
  }
  std::size_t joins(task_id joiner, task_id thread, resource_id as) {
    return does(joiner, operation::thread_join, as, {.after = index(thread)});
  }
  // The thread comes to the end of its routine, and its process goes on.
  std::size_t leaves(task_id thread, resource_id as) {
    made_.tasks[index(thread)].body_returned = true;
    made_.tasks[index(thread)].end = {.kind = task_end::how::exited, .code = 0};
    return does(thread, operation::thread_exit, as);
  }

  // The task comes to the end of its body.
  std::size_t ends(task_id task, int code = 0, resource_id brothers = no_resource) {
    made_.tasks[index(task)].body_returned = true;
    return dies(task, {.kind = task_end::how::exited, .code = code}, brothers);
  }
  // The task dies, by whatever cause. brothers: stands for the children of its parent.
  std::size_t dies(task_id task, task_end end, resource_id brothers = no_resource) {
    made_.tasks[index(task)].end = end;
    return does(task, operation::exit, brothers);
  }

  // The execution ends while the task is blocked: writes both the event and the wait record.
  std::size_t waits(task_id task, operation op, resource_id on, std::vector<task_id> releasers) {
    const auto at = blocks(task, op, on);
    made_.waits.push_back({.task = task,
                           .op = op,
                           .resources = {on},
                           .releasers = std::move(releasers),
                           .event = at});
    return at;
  }

  void owner(resource_id m, task_id task) { made_.resources[index(m)].owner = task; }
  void source(std::size_t event, std::string line) {
    made_.sources[made_.events[event].site] = std::move(line);
  }

  [[nodiscard]] trace& raw() { return made_; }
  [[nodiscard]] const trace& done() const { return made_; }

 private:
  std::size_t add(task_id task, operation op, resource_id on, const values& v, outcome how) {
    const auto at = made_.events.size();
    made_.events.push_back({.step = at,
                            .result = v.result,
                            .before = v.before,
                            .after = v.after,
                            .site = 0x1000 + at,
                            .resource = on,
                            .second = v.second,
                            .error = v.error,
                            .task = task,
                            .op = op,
                            .how = how});
    made_.sources[0x1000 + at] = "code.cpp:" + std::to_string(at);
    made_.schedule.push_back(task);
    return at;
  }

  trace made_;
};

[[nodiscard]] inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Is the part in one of the details?
[[nodiscard]] inline bool tells(const violation& found, const std::string& part) {
  for (const auto& line : found.details)
    if (contains(line, part)) return true;
  return false;
}

using indices = std::vector<std::size_t>;
using strings = std::vector<std::string>;

}  // namespace forkloom::testing

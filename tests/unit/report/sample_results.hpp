// Hand-made findings for the reports' tests.
#pragma once

#include "framework/explore/result.hpp"

namespace forkloom::tests {

inline event step(std::uint64_t number, unsigned task, operation op, unsigned resource,
                  std::uint64_t before = 0, std::uint64_t after = 0) {
  return {.step = number,
          .before = before,
          .after = after,
          .site = 0x100 + number,
          .resource = resource_id{resource},
          .task = static_cast<task_id>(task),
          .op = op};
}

inline task_record exited(std::string name, int code = 0) {
  return {.name = std::move(name), .end = {.kind = task_end::how::exited, .code = code}};
}

// Two tellers; the second overwrites what the first wrote.
inline explore::finding lost_update() {
  trace t;
  t.tasks = {exited("teller 0"), exited("teller 1")};
  t.resources = {{.name = "account", .kind = resource_kind::memory}};
  t.events = {step(1, 0, operation::load, 0, 100), step(2, 1, operation::load, 0, 100),
              step(3, 0, operation::store, 0, 100, 110), step(4, 1, operation::store, 0, 110, 110)};
  for (const auto& e : t.events)
    t.sources[e.site] = "/somewhere/bank.cpp:" + std::to_string(e.step);
  t.steps = 4;
  explore::finding found;
  found.violations = {{.kind = violation_kind::lost_update,
                       .message = "an update of account was lost",
                       .tasks = {"teller 0", "teller 1"},
                       .resource = "account",
                       .evidence = {0, 1, 2, 3},
                       .details = {"teller 1 read 100"}}};
  found.execution = 6;
  found.token = "fl1-x";
  found.replays = 3;
  found.reproduced = 3;
  found.what_happened = std::move(t);
  return found;
}

// Two tasks that took two locks in different orders.
inline explore::finding deadlock() {
  trace t;
  t.tasks = {{.name = "left", .output = "got A\n"}, {.name = "right"}};
  t.resources = {{.name = "A", .kind = resource_kind::mutex, .owner = task_id{0}},
                 {.name = "B", .kind = resource_kind::mutex, .owner = task_id{1}}};
  t.events = {step(1, 0, operation::mutex_lock, 0), step(2, 1, operation::mutex_lock, 1),
              step(3, 0, operation::mutex_lock, 1), step(4, 1, operation::mutex_lock, 0)};
  t.events[2].how = t.events[3].how = outcome::blocked;
  t.sources[t.events[2].site] = "locks.cpp:7";
  t.waits = {{.task = task_id{0},
              .op = operation::mutex_lock,
              .resources = {resource_id{1}},
              .releasers = {task_id{1}},
              .event = 2},
             {.task = task_id{1},
              .op = operation::mutex_lock,
              .resources = {resource_id{0}},
              .releasers = {task_id{0}},
              .event = 3}};
  t.how = ending::stuck;
  t.steps = 4;
  explore::finding found;
  found.violations = {{.kind = violation_kind::deadlock,
                       .message = "left and right wait for each other",
                       .tasks = {"left", "right"},
                       .evidence = {2, 3}}};
  found.token = "fl1-y";
  found.replays = 3;
  found.reproduced = 2;
  found.divergence = "at step 3";
  found.what_happened = std::move(t);
  return found;
}

inline explore::campaign_result campaign_with(explore::finding found) {
  explore::campaign_result result;
  result.scenario = "a scenario";
  result.strategy = "random";
  result.seed = 1;
  result.executions = 7;
  result.steps = 28;
  result.switches = 20;
  result.seconds = 0.5;
  result.isolation = "private namespaces";
  result.findings.push_back(std::move(found));
  result.how = explore::verdict::violated;
  return result;
}

}  // namespace forkloom::tests

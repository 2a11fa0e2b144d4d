// A trace in which every field has a value of its own.
#pragma once

#include "framework/trace/trace.hpp"

namespace forkloom::tests {

inline trace sample_trace() {
  trace t;
  t.events = {event{.step = 3,
                    .clock_ns = 17,
                    .result = -5,
                    .before = 100,
                    .after = ~std::uint64_t{0},
                    .site = 0x7fff'ffff'ffff'f001,
                    .resource = resource_id{1},
                    .second = resource_id{0},
                    .stack = 1,
                    .error = 11,
                    .task = task_id{1},
                    .op = operation::cond_wait,
                    .how = outcome::timed_out},
              event{.step = 4, .task = task_id{0}, .op = operation::exit}};
  t.tasks = {task_record{.name = "teller 0",
                         .end = {.kind = task_end::how::signalled, .code = 11, .allowed = true},
                         .body_returned = true,
                         .output = std::string("caf\xe9 \0\n", 7)},
             task_record{.name = "teller 1", .parent = task_id{0}}};
  t.resources = {resource_record{.name = "lock", .kind = resource_kind::mutex, .owner = task_id{1}},
                 resource_record{.name = "sök",
                                 .kind = resource_kind::semaphore,
                                 .owner = no_task,
                                 .object = 2,
                                 .offset = 64}};
  t.waits = {wait_record{.task = task_id{1},
                         .op = operation::mutex_lock,
                         .resources = {resource_id{0}, resource_id{1}},
                         .releasers = {task_id{0}},
                         .event = 1}};
  t.failures = {failure_record{.kind = failure_record::what::exception,
                               .task = no_task,
                               .step = 9,
                               .file = "bank.cpp",
                               .line = 12,
                               .text = "150 == 160"}};
  t.leftovers = {leftover_record{.what = "shared memory /bank", .resource = resource_id{1}}};
  t.stacks = {{0x10, 0x20}, {}};
  t.schedule = {task_id{1}, task_id{0}};
  t.draws = {{.step = 1, .nth = 2, .value = 3, .bound = 4}};
  t.sources = {{0x10, "bank.cpp:12"}, {~std::uint64_t{0}, "bank.cpp:13"}};
  t.how = ending::uncontrolled;
  t.culprit = task_id{1};
  t.detail = "read";
  t.steps = 10;
  t.switches = 6;
  t.hash = 0xfeed'0000'0000'0001;
  return t;
}

}  // namespace forkloom::tests

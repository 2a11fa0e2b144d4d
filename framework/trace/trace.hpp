// What happened in one execution: a plain value that checkers and reports read. It can be written
// by hand, which is how the checkers are tested.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/trace/choice_record.hpp"
#include "framework/trace/event.hpp"
#include "framework/trace/ids.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom {

// How a task ended, or did not.
struct task_end {
  enum class how : std::uint8_t { alive, exited, signalled };
  how kind = how::alive;
  int code = 0;           // exit code or signal number
  int expected_code = 0;  // the exit code that it should have; only known while it is judged
  bool allowed = false;   // the scenario said that this end is fine (allow_exit, allow_signal)
};

struct task_record {
  std::string name;
  task_id parent = no_task;     // no_task: a process that the scenario declared
  task_id thread_of = no_task;  // no_task: the main thread of its process
  task_end end;
  bool body_returned = false;  // it reached the end of its body, or called exit()

  // What it was about to do when the execution ended, unless it had ended itself or was just doing
  // something. In no file.
  operation pending = operation::none;
  resource_id pending_resource = no_resource;

  std::string output;  // what it wrote to stdout and stderr
};

struct resource_record {
  std::string name;
  resource_kind kind = resource_kind::unknown;
  task_id owner = no_task;  // who held it at the end; only kinds that have owners

  // Where it lies, if that is shared memory: a number for what is mapped there, from 1 on in the
  // order of first use, and the place in it. Objects of one number overlap if their bytes do.
  std::uint32_t object = 0;
  std::uint64_t offset = 0;
};

// A task that was blocked when the execution ended. Only what no other task could end any more is
// here as `releasers.empty()`.
struct wait_record {
  task_id task = no_task;
  operation op = operation::none;
  std::vector<resource_id> resources;  // any one of them would do (poll waits for several)
  std::vector<task_id> releasers;      // living tasks that could still let it go on; maybe itself
  std::size_t event = 0;               // index of the event that says it blocked
  bool timeout_ignored = false;        // it has a time-out, which timeout_policy::never keeps back
};

// An expect() that did not hold, or an exception that left a body.
struct failure_record {
  enum class what : std::uint8_t { expectation, exception };
  what kind = what::expectation;
  task_id task = no_task;  // no_task: in the scenario itself (finally)
  std::uint64_t step = 0;
  std::string file;
  std::uint32_t line = 0;
  std::string text;  // the values ("150 == 160") or the exception's what()
};

// Something found after the execution that was not there before it.
struct leftover_record {
  std::string what;                    // "shared memory /bank", "System V queue 3"
  resource_id resource = no_resource;  // if the trace knows it
};

// The calls of a generated program, judged by its model: only of those that no order explains.
// Lives until the checkers have seen it; the JSON of a trace does not have it.
struct judged_history {
  std::string object;
  std::string message;
  std::vector<std::string> tasks;
  std::vector<std::string> details;  // the calls as a table, line by line
};

// A choice other than that of a task: which waiter is woken, whether a fault happens.
struct draw_record {
  std::uint32_t step = 0;   // how many picks there had been
  std::uint32_t nth = 0;    // among the draws of that step, from 0
  std::uint32_t value = 0;  // 0: undisturbed
  std::uint32_t bound = 0;  // the values were those below it; at least 2

  friend bool operator==(const draw_record&, const draw_record&) = default;
};

// A call that passed although Forkloom should schedule it, and where it was made.
struct uncontrolled_record {
  std::string name;
  std::vector<std::uint64_t> stack;  // innermost address first
};

enum class ending : std::uint8_t {
  finished,      // every task ended
  stuck,         // no task is enabled and no deadline is pending, but tasks live
  step_limit,    // too many steps since the last progress, or in all
  spinning,      // a task burns processor time and does not come back
  uncontrolled,  // a task sits in a system call that Forkloom does not control
  task_limit,    // more tasks than an execution can hold
  stopped,       // a failed expectation or an exception stopped it
  interrupted,   // the run itself was told to stop
  failed,        // the execution could not be carried out (fork failed, memory is full)
};

struct trace {
  std::vector<event> events;
  std::vector<task_record> tasks;          // by task_id
  std::vector<resource_record> resources;  // by resource_id
  std::vector<wait_record> waits;
  std::vector<failure_record> failures;
  std::vector<leftover_record> leftovers;
  std::vector<judged_history> histories;
  std::vector<std::vector<std::uint64_t>> stacks;  // innermost address first; see event::stack
  std::vector<task_id> schedule;                   // the pick of each step
  std::vector<draw_record> draws;                  // in their order

  // Of each pick; empty in a trace from a file.
  std::vector<pick_kind> pick_kinds;
  std::vector<choice_record> choices;  // likewise; see there. In no file

  // The files of programs that tasks executed, and of their libraries. Addresses in them are told
  // as module_address.hpp says; all others are those of the process that reads the trace. Like the
  // next, only for finding sources: kept in no file.
  std::vector<std::string> modules;
  std::vector<uncontrolled_record> passed;

  // event::site and stack addresses → "file:line", filled in when a failure is explained; or, of
  // programs without debug information, "function in program".
  std::map<std::uint64_t, std::string> sources;

  ending how = ending::finished;
  task_id culprit = no_task;  // spinning, uncontrolled: the task
  std::string detail;         // uncontrolled: the call; failed: the reason; step_limit: which
  std::uint64_t steps = 0;
  std::uint64_t switches = 0;
  std::vector<std::uint32_t> fault_chances;  // by fault_kind: where it might have happened
  std::uint64_t hash = 0;                    // folds (task, operation, resource) of every step

  // Of the product of the numbers of tasks that a random walk could have picked at each step: it
  // takes just this way once in so many times. Kept in no file.
  double choices_log2 = 0;

  // The caller's source line of an event: "file:line", or "" if it is not known.
  [[nodiscard]] std::string source(const event& what) const;

  // "teller 0", or "the scenario" for no_task.
  [[nodiscard]] std::string task_name(task_id task) const;

  // "account lock", or "" for no_resource.
  [[nodiscard]] std::string resource_name(resource_id resource) const;
};

}  // namespace forkloom

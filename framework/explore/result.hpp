// What a campaign over one scenario has to tell. Plain values: reports are made from these alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forkloom/violation.hpp"
#include "framework/trace/fault.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// A pick that left a task which could have gone on.
struct preemption {
  std::uint64_t step = 0;  // as events count
  task_id from = no_task;
  task_id to = no_task;
  std::size_t event = 0;  // index of what `from` was about to do; the number of events if nothing
};

struct schedule_size {
  std::uint64_t preemptions = 0;
  std::uint64_t faults = 0;
  std::uint64_t switches = 0;
  std::uint64_t steps = 0;
};

// How a failure was made small.
struct shrinking {
  std::string original;          // the token of the execution that was found
  std::uint64_t executions = 0;  // that it took
  bool complete = false;         // all schedules with fewer preemptions that matter were tried
  // The real time after which it was given up; 0: it ended by itself, or by counts.
  std::uint64_t given_up_after_ms = 0;
  schedule_size before;
  schedule_size after;
  std::vector<preemption> preemptions;  // those that are left
  // The critical transition: the step after which every continuation tried failed; 0: all did from
  // the start. Without continuations it is the last step; if it is 0 as well, it is not known.
  std::uint64_t critical_step = 0;
  std::uint32_t continuations = 0;
};

// One execution in which something was found, made small, run again and explained.
struct finding {
  std::vector<violation> violations;  // in the order of the checkers, the most telling first
  std::uint64_t execution = 0;        // number of the execution, from 0
  std::uint64_t occurrences = 1;    // executions that failed like this one, if the campaign went on
  std::string token;                // reproduces it
  std::string replay_arguments;     // what `forkloom replay` needs besides; mostly empty
  std::uint32_t replays = 0;        // how often it was run again before it was reported …
  std::uint32_t reproduced = 0;     // … and in how many of those it failed in the same way
  std::string divergence;           // where a replay departed, with both operations; or empty
  std::optional<shrinking> shrunk;  // token and trace are of the small one then
  trace what_happened;              // with stacks and sources
};

// What one execution came to, for comparison with another run of the same seed.
struct execution_hash {
  std::uint64_t seed = 0;  // the execution's own
  std::uint64_t steps = 0;
  std::uint64_t hash = 0;
};

// What the executions have shown in all: see trace/coverage.hpp and docs/coverage.md.
struct coverage_summary {
  std::uint64_t classes = 0;
  std::uint64_t orderings = 0;
  std::uint64_t lock_states = 0;
  std::uint64_t last_new = 0;  // the last new class or ordering came with this execution, from 1
  bool saturated = false;      // the campaign ended because nothing new was seen any more
};

// What that lets one say about executions that were not run: see explore/estimates.hpp.
struct estimate_summary {
  bool known = false;                  // false: the executions were no draws, and all else is blank
  double schedules_log2 = -1;          // of the number of schedules; below 0: not known
  double classes = 0;                  // at least as many
  double new_class = 1;                // probability that the next execution is of a new class
  std::uint64_t more_for_classes = 0;  // executions until 95 % of the classes are seen
  std::uint64_t failed = 0;            // executions with a violation
  double failure = 0;                  // probability that an execution has one …
  double failure_low = 0;              // … and what it lies between, with confidence 95 %
  double failure_high = 1;
  std::uint64_t executions_to_see = 0;  // to meet one again with 95 %; 0: none was met
};
// What became of a kind of faults that was asked for.
struct fault_count {
  std::string name;
  std::uint64_t chances = 0;   // how often it might have happened, in all executions
  std::uint64_t happened = 0;  // and did
};

// In words; to be told where it had no chance.
[[nodiscard]] inline std::string_view where_it_strikes(const fault_count& fault) noexcept {
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind)
    if (name(fault_kind(kind)) == fault.name) return description(fault_kind(kind)).where;
  return {};
}

enum class verdict : std::uint8_t {
  as_expected,  // nothing found; or what the scenario declares to be found, and nothing else
  violated,     // something was found that should not be there, or the expected was not found
  error,        // the campaign could not be carried out, or a task was not under control
};

struct campaign_result {
  std::string scenario;
  std::string strategy;    // "random", "pct:3"
  std::string guarantee;   // what the strategy promises, in words; or empty
  std::string conclusion;  // what it can say after the last execution, in words; or empty
  std::uint64_t seed = 0;
  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  std::uint64_t switches = 0;
  double seconds = 0;
  std::string isolation;                 // "private namespaces" or "tracked names"
  std::vector<violation_kind> expected;  // what the scenario declares to be found
  std::vector<finding> findings;
  std::uint64_t suppressed = 0;  // violations that options::suppress kept out of the findings
  verdict how = verdict::as_expected;
  std::string message;  // why the verdict is not as_expected, if no finding says it
  // What was not under control, each a line; also in a campaign that is otherwise as expected.
  std::vector<std::string> uncontrolled;
  coverage_summary coverage;
  estimate_summary estimates;
  std::vector<fault_count> faults;     // those asked for
  std::vector<execution_hash> hashes;  // of each execution, if options::hashes asked for them
};

}  // namespace forkloom::explore

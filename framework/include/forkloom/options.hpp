// How a scenario is explored. Written after its name and tags, in this order:
//
//   FORKLOOM_SCENARIO("a broken counter", "[counter]", .executions = 500,
//                     .expects = {forkloom::violation_kind::lost_update}) { … }
//
// The command line and the environment (FORKLOOM_EXECUTIONS, FORKLOOM_SEED, FORKLOOM_STRATEGY,
// FORKLOOM_FAULTS, FORKLOOM_TIMEOUTS) override what the scenario says.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "forkloom/timeout_policy.hpp"
#include "forkloom/violation.hpp"

namespace forkloom {

// Which failures are made small before they are reported.
enum class shrink_what : std::uint8_t {
  nothing,
  surprises,   // those that the scenario does not declare
  everything,  // those that it declares, too
};

struct options {
  // Which schedules, unless replay decides it.

  std::uint64_t executions = 1000;     // at most this many, at least 1
  std::chrono::milliseconds time{0};   // stop after this much real time; 0: no limit
  std::string strategy = "portfolio";  // "random", "pct:3", …: see `forkloom strategies`
  bool until_saturated = false;        // stop when executions show nothing new any more
  std::uint64_t seed = 1;              // the campaign's; each execution's seed follows from it
  unsigned processes = 2;              // for processes declared without a number; 1 … 1,024
  std::string faults{};  // what may befall a process, and how often in one execution, at most:
                         // "kill:1,eintr:2"; see `forkloom faults`
  timeout_policy timeouts = timeout_policy::idle;

  // When an execution is stopped.

  std::uint64_t progress_limit = 20'000;        // steps since something last changed; at least 1
  std::uint64_t step_limit = 900'000;           // steps in all; 1 … 900,000
  std::chrono::milliseconds hang_limit{2'000};  // processor time within one step; at least 1 ms
  // The scenario's own code, its body and finally(), may take ten hang limits of real time.

  // What is looked for.

  std::vector<std::string> checkers;  // by name; empty: all that need not be asked for by name
  std::uint32_t bypass_max = 32;      // a waiter overtaken more often than this starves; at least 1
  std::vector<std::string> suppress{};    // "KIND:PATTERN", not to be told; see docs/checkers.md
  std::vector<violation_kind> expects{};  // not empty: one of these must be found, and nothing else

  // What happens then.

  bool keep_going = false;  // go on after the first execution with a violation
  unsigned replays = 3;     // how often a failure is run again before it is reported; at least 1
  std::uint64_t shrink_budget = 500;  // executions to make a failure small with; 0: report it as is
  // And real time, as a far net for machines that are very slow: where it ends the shrinking, the
  // result says so, because another run may come to another one. 0: no limit.
  std::chrono::milliseconds shrink_time{60'000};
  shrink_what shrink = shrink_what::nothing;  // the command and Catch2 set this
  bool progress = false;                      // tell on stderr how far the campaign is
  bool hashes = false;  // keep the trace hash of each execution, to compare runs with each other
};

}  // namespace forkloom

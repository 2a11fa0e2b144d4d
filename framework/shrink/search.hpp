// Where a schedule may be disturbed once more, for the search over schedules with few preemptions.
#pragma once

#include <string_view>
#include <vector>

#include "framework/trace/schedule.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::shrink {

struct disturbance {
  schedule made;           // all of the execution's own, and one more behind them
  bool preempts = false;   // else it costs nothing: the running task could not go on
  bool is_draw = false;    // a fault
  bool elsewhere = false;  // not at an operation on the place in question
};

// All that could have been decided otherwise after the last entry of its schedule, and might
// matter: a preemption does only before an operation on something that two tasks use. Tasks that
// could not have gone may be among it: that is found out by running it.
[[nodiscard]] std::vector<disturbance> disturbances_of(const trace& what, std::string_view place,
                                                       bool with_draws);

}  // namespace forkloom::shrink

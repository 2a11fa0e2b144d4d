// From a schedule that fails to one that fails in the same way with the fewest preemptions, then
// the fewest faults, then the fewest steps.
//
// First the blocks of the execution are merged, many at a time, then one by one (Jalbert and Sen,
// "A trace simplification technique for effective debugging of concurrent programs", FSE 2010; the
// halving is delta debugging's: Zeller and Hildebrandt, TSE 2002). That ends where no single merge
// helps, which need not be the minimum. So then all schedules with fewer preemptions are searched,
// those without any first (Musuvathi and Qadeer, "Iterative context bounding for systematic testing
// of multithreaded programs", PLDI 2007), as far as the budget goes.
//
// Only what was really run counts: a candidate that cannot be followed is not dismissed, but what
// it came to is recorded, and that is the schedule which is kept if it fails.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "framework/shrink/trial.hpp"

namespace forkloom::shrink {

struct result {
  outcome best;
  cost before;
  cost after;
  std::uint64_t executions = 0;
  std::uint64_t steps = 0;  // of all of them
  // The search for fewer preemptions with no more faults than are left was not cut short.
  bool complete = false;
};

// Called after each execution that was better than all before.
using progress = std::function<void(std::uint64_t executions, const cost& best)>;

// `failing` must fail; it is what was run already, and costs nothing. place: the name of the
// resource that the failure is about; the search looks there first.
[[nodiscard]] result shrink(outcome failing, const runner& run, const budget& within,
                            std::string_view place = {}, const progress& tell = {});

}  // namespace forkloom::shrink

// How small failures become, and whether they could be smaller.
#pragma once

namespace forkloom::bench {

// Prints, for each scenario of the library that declares what must be found: preemptions before and
// after shrinking, the executions that it took, and the fewest preemptions that depth-first search
// over all schedules with 0, 1 and 2 of them finds, where it comes to an end. The last line has the
// share of failures that are minimal among those whose minimum is known.
void bench_shrink(bool as_json);

}  // namespace forkloom::bench

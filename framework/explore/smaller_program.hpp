// A generated program that failed, made as small as it gets. Its schedule is another matter.
#pragma once

#include <span>
#include <vector>

#include "checkers/checker.hpp"
#include "framework/explore/explorer.hpp"
#include "framework/explore/runner.hpp"

namespace forkloom::explore {

// One execution that failed.
struct failure {
  attempt how;
  trace what_happened;
  std::vector<violation> found;  // never empty
  // The real time after which the search for a smaller program was given up; 0: it was not.
  std::uint64_t given_up_after_ms = 0;
};

// A smaller program that fails in the same way: with the same first kind of violation, and no kind
// that was not there. Whether a candidate fails is seen by running it under the failing schedule
// and then under a fixed number of others, whose seeds follow from the failing one's; the last that
// failed is given back. The runner keeps the program until it is told another. Gives back the same
// failure, and leaves the runner alone, if the scenario makes no programs or nothing smaller fails.
[[nodiscard]] failure with_smaller_program(runner& run, failure first,
                                           std::span<const checkers::checker> with,
                                           const options& how);

}  // namespace forkloom::explore

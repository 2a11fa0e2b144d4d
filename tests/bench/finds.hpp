// How soon each strategy finds what is wrong with the broken scenarios of the library, beside the
// same bodies run again and again without control.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace forkloom::bench {

struct finds_request {
  std::vector<std::string> strategies;  // empty: one of each family
  std::string scenarios = "*";          // those whose name has this as a part; "*": all
  std::uint64_t seeds = 50;
  std::uint64_t executions = 1000;  // at most, for each seed
  bool as_json = false;
};

// Prints a line a scenario as soon as it is known: the median over the seeds of the number of the
// first failing execution. A signal that interrupts a campaign ends it. Throws usage_error for a
// strategy that does not exist.
void print_finds(const finds_request& what);

}  // namespace forkloom::bench

// What shrinking works with: a way to run a schedule, and what makes one failure better than
// another. Nothing here knows how executions come about; tests give it systems made by hand.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "framework/trace/schedule.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::shrink {

struct outcome {
  trace what_happened;  // its schedule is what was really run, whatever was asked for
  bool fails = false;   // in the way in question
};

using runner = std::function<outcome(const schedule&)>;

// The smaller the better, in this order.
struct cost {
  std::uint64_t preemptions = 0;
  std::uint64_t faults = 0;  // draws that are not 0
  std::uint64_t steps = 0;
  std::uint64_t others = 0;  // picks that are neither usual nor preemptions

  friend auto operator<=>(const cost&, const cost&) = default;
};

[[nodiscard]] cost cost_of(const trace& what);

// How much may be run. The counts make results repeatable; the clock is a net for when they do not
// suffice.
struct budget {
  std::uint64_t executions = 0;
  std::uint64_t steps = ~std::uint64_t{0};  // of all of them; the last one may go beyond
  std::function<bool()> out_of_time = [] { return false; };
};

}  // namespace forkloom::shrink

// The critical transition of a failing execution (the term is Mc SimGrid's): the first step after
// which every continuation tried fails.
#pragma once

#include <cstdint>
#include <optional>

#include "framework/shrink/trial.hpp"

namespace forkloom::shrink {

struct critical_transition {
  std::uint64_t step = 0;  // as events count, from 1; 0: the failure was certain from the start
  std::uint32_t continuations =
      0;  // that were tried from there; all failed. 0: it is the last step
  std::uint64_t executions = 0;
};

// Looks for it by halving, with a few random continuations from each place, and tries more of them
// at the one that is found. Nothing if the executions did not suffice. The numbers are drawn from
// the seed.
[[nodiscard]] std::optional<critical_transition> find_critical(const trace& failing,
                                                               const runner& run,
                                                               const budget& within,
                                                               std::uint64_t seed);

}  // namespace forkloom::shrink

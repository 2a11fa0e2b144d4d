// Does a deadlock that was predicted come about, if one steers into it?
#pragma once

#include <cstdint>
#include <optional>

#include "forkloom/violation.hpp"
#include "framework/explore/runner.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

struct confirmation {
  std::optional<trace> deadlock;  // an execution that came to it
  std::uint32_t steered = 0;      // how many were steered before it did, or in vain
};

// what, predicted: an execution and what check_lock_order() found in it. Steers from there, then
// from random walks that show the same, of the campaign's seed.
[[nodiscard]] confirmation confirm(runner& run, const trace& what, const violation& predicted,
                                   std::uint64_t campaign_seed);

}  // namespace forkloom::explore

// From a failing execution to a finding that people can act on: run it again, with everything
// recorded, and see whether it fails in the same way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "checkers/checker.hpp"
#include "framework/explore/result.hpp"
#include "framework/explore/runner.hpp"
#include "framework/strategy/strategy.hpp"

namespace forkloom::explore {

// The checkers that the options ask for. Throws usage_error for a name that is none.
[[nodiscard]] std::vector<checkers::checker> chosen_checkers(const options& how);

struct judgement {
  std::vector<violation> violations;
  std::uint64_t suppressed = 0;  // that many more were found
};

// Throws usage_error for a suppression that cannot be.
[[nodiscard]] judgement check(const trace& t, std::span<const checkers::checker> with,
                              const options& how);

// Did both fail in the same way: the same kinds, on the same resources, by the same tasks?
[[nodiscard]] bool same_failure(std::span<const violation> a, std::span<const violation> b);

struct explanation {
  std::vector<violation> violations;  // none, if all are suppressed by lines known only now
  std::uint64_t suppressed = 0;
  trace what_happened;
  std::uint32_t reproduced = 0;
  std::string divergence;
};

// Replays `times` times with full tracing. Gives back the first replay that failed in the same way
// (or, if none did, the first execution itself), and what the first one that departed did instead.
[[nodiscard]] explanation explain(runner& run, const strategy::state& strategy, std::uint64_t seed,
                                  const trace& first, std::span<const violation> found,
                                  std::span<const checkers::checker> with, const options& how);

}  // namespace forkloom::explore

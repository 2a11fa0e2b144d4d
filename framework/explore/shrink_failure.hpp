// A failure made small, before it is explained.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checkers/checker.hpp"
#include "framework/explore/result.hpp"
#include "framework/explore/runner.hpp"

namespace forkloom::explore {

struct small_failure {
  trace what_happened;
  std::vector<violation> violations;
  shrinking how;  // without the places of the preemptions
};

// Does the second execution fail in the way of the first: with violations of the same kinds on the
// same resources, and the same expectations? Tasks may have changed their parts.
[[nodiscard]] bool fails_alike(const trace& first, std::span<const violation> of_first,
                               const trace& second, std::span<const violation> of_second);

// Within the options' budget. Nothing if the schedule by itself does not bring the failure back:
// then something else has a say, and there is nothing to shrink.
[[nodiscard]] std::optional<small_failure> shrink_failure(runner& run, std::uint64_t seed,
                                                          const trace& first,
                                                          std::span<const violation> found,
                                                          std::span<const checkers::checker> with,
                                                          const options& how);

// Where the preemptions of an execution are, and what the preempted tasks were about to do.
[[nodiscard]] std::vector<preemption> preemptions_of(const trace& what);

}  // namespace forkloom::explore

// Faults and the policy of time-outs as text: "kill:1,eintr:2", "race".
#pragma once

#include <string>
#include <string_view>

#include "forkloom/timeout_policy.hpp"
#include "framework/trace/fault.hpp"

namespace forkloom {

// What may befall the processes of one execution.
struct hazards {
  fault_plan faults = {};
  timeout_policy timeouts = timeout_policy::idle;

  friend bool operator==(const hazards&, const hazards&) = default;
};

inline constexpr unsigned faults_max = 100;  // of one kind, in one execution

// Throws usage_error, naming the kinds that there are.
[[nodiscard]] fault_kind fault_named(std::string_view text);

// "": none. A kind without a number may happen once. Throws usage_error, naming the kinds that
// there are.
[[nodiscard]] fault_plan parse_faults(std::string_view text);

// With all numbers, in the order of the kinds.
[[nodiscard]] std::string to_string(const fault_plan& plan);

// Throws usage_error.
[[nodiscard]] timeout_policy parse_timeouts(std::string_view text);

[[nodiscard]] std::string_view name(timeout_policy policy) noexcept;

}  // namespace forkloom

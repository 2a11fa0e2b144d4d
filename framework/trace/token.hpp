// The replay token: one line of text that reproduces one execution. Letters, digits, '.', '-' and
// '_' only, so that no shell, log or CI system touches it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "framework/trace/fault_plan.hpp"

namespace forkloom {

struct replay_token {
  std::uint32_t scenario = 0;  // scenario_hash() of its name
  std::string strategy;    // with all parameters resolved: "random", "pct:3:120", "schedule:12p1"
  std::uint64_t seed = 0;  // of the execution, not of the campaign
  std::uint32_t processes = 2;  // option of the same name
  std::uint64_t progress_limit =
      0;  // options of the same names: where an execution stops is part of it
  std::uint64_t step_limit = 0;
  std::uint64_t steps = 0;  // of the recorded execution
  std::uint64_t hash = 0;   // of its trace
  std::string program{};    // a generated program that was made smaller: "7.3.0"; else empty
  fault_plan faults{};      // options of the same names
  timeout_policy timeouts = timeout_policy::idle;

  friend bool operator==(const replay_token&, const replay_token&) = default;
};

// What identifies a scenario in a token. A fixed function of its name.
[[nodiscard]] std::uint32_t scenario_hash(std::string_view name) noexcept;

[[nodiscard]] std::string encode(const replay_token& token);

// Throws usage_error: not a token at all, a version that this build does not know, a damaged one
// (the checksum says so), a field that is out of range.
[[nodiscard]] replay_token decode(std::string_view text);

}  // namespace forkloom

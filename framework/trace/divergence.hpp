// Where two executions that should be the same depart.
#pragma once

#include <optional>
#include <string>

#include "framework/trace/trace.hpp"

namespace forkloom {

struct divergence {
  std::size_t event = 0;   // index of the first event that differs, in both
  std::uint64_t step = 0;  // its step in the expected trace (or where that ended)
};

// The first difference in (task, operation, outcome, resource), or in where the trace ends; nothing
// if there is none.
[[nodiscard]] std::optional<divergence> find_divergence(const trace& expected, const trace& actual);

// The same in words, with both operations and their source lines; "" if there is none.
[[nodiscard]] std::string describe_divergence(const trace& expected, const trace& actual);

}  // namespace forkloom

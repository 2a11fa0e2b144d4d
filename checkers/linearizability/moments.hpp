// The positions of a history as ranks, 0, 1, 2 …, and what a collection's calls say of each value.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "forkloom/history.hpp"

namespace forkloom::checkers {

// Later than everything.
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// When a call may have taken effect: after `from` and before `to`. Between two neighbouring ranks
// is a slot, numbered after the first of them, so these are the slots [from, to).
struct span_of_call {
  std::int64_t from = never;
  std::int64_t to = never;
};

// Of each call; a pending one goes on for ever.
[[nodiscard]] std::vector<span_of_call> spans(const history& what);

// What happened to a value of a queue, stack or priority queue.
struct value_life {
  std::optional<span_of_call> inserted;
  std::optional<span_of_call> removed;
};

struct lives {
  std::map<std::int64_t, value_life> values;
  std::vector<span_of_call> found_empty;
  std::int64_t ranks = 0;
  bool impossible = false;  // a value is removed that nobody has inserted by then, or twice
};

// Nothing if a value is inserted twice, or if a removal is pending. An insertion that is pending
// and that nobody has seen is left out: it may never take effect, and nothing depends on it.
[[nodiscard]] std::optional<lives> lives_of(const history& what);

}  // namespace forkloom::checkers

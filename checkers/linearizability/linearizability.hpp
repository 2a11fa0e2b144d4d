// Can the results of a history be explained by calls that happened one after the other?
//
// Deciding it takes exponential time in the worst case (Gibbons & Korach, "Testing Shared
// Memories", SIAM J. Comput. 1997), so every judgement has limits, and beyond them the answer is
// `unknown`, never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "forkloom/history.hpp"

namespace forkloom::checkers {

struct search_limits {
  std::size_t calls_max = 10'000;                // of a history
  std::uint64_t configurations_max = 4'000'000;  // some 100 bytes each at most, at 500 calls a key
};

// Judges by general search. A linearizable history is searched key by key: the keys are objects of
// their own, and linearizability is local. The weaker conditions are not, and take all at once; so
// their `order` is of the whole history, and that of a linearizable one is made of the keys'
// orders. Throws what the model throws, and std::invalid_argument for a history that cannot be: a
// call that returns before it is invoked, two events at one position, calls of one process that
// overlap.
[[nodiscard]] judgement judge(const history& what, sequential_model& model,
                              consistency wanted = consistency::linearizable,
                              const search_limits& limits = {});

// Of a history that is not linearizable: the call without whose response it would be. All that was
// before can be explained; that result cannot. Nothing if a limit is met.
[[nodiscard]] std::optional<std::size_t> first_unexplained(const history& what,
                                                           sequential_model& model,
                                                           const search_limits& limits = {});

}  // namespace forkloom::checkers

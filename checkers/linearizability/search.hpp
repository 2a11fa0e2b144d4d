// The two searches: one by intervals, one by the order of each process alone.
#pragma once

#include <span>

#include "checkers/linearizability/linearizability.hpp"

namespace forkloom::checkers {

// Both judge the calls with these indices, and give indices of `what` back.

// A call that returned before another was invoked comes first: Wing & Gong, "Testing and Verifying
// Concurrent Objects" (J. Parallel Distrib. Comput. 1993), with the memoisation of Lowe, "Testing
// for Linearizability" (Concurr. Comput. 2017).
[[nodiscard]] judgement search_intervals(const history& what, std::span<const std::size_t> calls,
                                         sequential_model& model, const search_limits& limits);

// Each process's calls come in their order, and nothing else is asked.
[[nodiscard]] judgement search_processes(const history& what, std::span<const std::size_t> calls,
                                         sequential_model& model, const search_limits& limits);

}  // namespace forkloom::checkers

// What an access to memory costs in instrumented code.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace forkloom::bench {

// A private access outside of an execution and in a task, and a shared one in a task, each beside
// the same access of code that is not instrumented. Figures are for one access.
[[nodiscard]] std::vector<nlohmann::json> bench_memory();

}  // namespace forkloom::bench

// How long it takes to judge a history.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace forkloom::bench {

// The slowest of many: 4 processes with 8 calls each on a queue or a stack, and 1,000 calls on a
// store with 10 keys; beside the time that each may take.
[[nodiscard]] std::vector<nlohmann::json> bench_linearizability();

}  // namespace forkloom::bench

// Names that were looked at, and then used as if nobody could have come between: for the checker
// `permissions`.
#pragma once

#include <vector>

#include "forkloom/violation.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

// One violation for each name, the first; one in which somebody did come between before one in
// which somebody might have.
[[nodiscard]] std::vector<violation> judge_check_then_use(const trace& what);

}  // namespace forkloom::checkers

// What became of the messages that the program numbers (forkloom/messages.hpp): for the checker
// `message`.
#pragma once

#include <vector>

#include "forkloom/violation.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

// One violation for each channel and way, the first.
[[nodiscard]] std::vector<violation> judge_marked_messages(const trace& what);

}  // namespace forkloom::checkers

// The tasks that wait for each other and for nobody else.
#pragma once

#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

// The greatest set of waiting tasks in which every task that could release a member is a member
// itself: none of them can ever go on. In a graph with OR-waits (any post wakes a semaphore's
// waiter, any writer a poll) this knot, and not the mere cycle, is what a deadlock is: R. C. Holt,
// "Some deadlock properties of computer systems", ACM Computing Surveys 4(3), 1972.
//
// A task whose wait has a deadline goes on by itself; the trace has no wait record of it.
// Ascending by task; pointers into the trace.
[[nodiscard]] std::vector<const wait_record*> knot(const trace& what);

[[nodiscard]] bool lives(const trace& what, task_id task);

}  // namespace forkloom::checkers

// From a deadlock that is possible to one that happens: a schedule that brings each task of the
// circle to the lock that the next one holds, and no further.
#pragma once

#include "forkloom/violation.hpp"
#include "framework/trace/schedule.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// predicted: what check_lock_order() found in that trace. The picks are those of the trace, but
// each task of the circle is held back where it first asked for its second lock, until all are
// there; then each of them asks. What was ordered by what a task would have done further on departs
// from this.
[[nodiscard]] schedule steered_into(const trace& what, const violation& predicted);

}  // namespace forkloom::explore

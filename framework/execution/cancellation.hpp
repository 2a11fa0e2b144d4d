// Cancellation of threads (pthreads(7), "Cancellation points"). A cancellation is pending in the
// model until its target comes to a point of its own: then the target cancels itself, really, and
// unwinds from within the call through the families' frames. So the interception library is
// compiled without exceptions: nothing of it stops an unwinding, and nothing of it may need to be
// cleaned up. Async-signal-safe, but for the unwinding.
#pragma once

#include "framework/trace/ids.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom::execution {

// May a call of that kind end its thread by a cancellation? Those that POSIX names and that wait.
[[nodiscard]] bool is_cancellation_point(operation op) noexcept;

// Is a cancellation pending for that task? Of this process alone, as threads have no reach beyond.
[[nodiscard]] bool cancellation_pending(task_id task) noexcept;

// The calling thread, for which one is pending, is at a call of that kind. Does not return if it is
// cancelled by that. The thread family does it; see intercept/cancel.cpp.
void heed_cancellation(operation op);

}  // namespace forkloom::execution

// Signals that are sent by other calls than those whose purpose it is. Async-signal-safe.
#pragma once

#include <signal.h>

#include "framework/trace/ids.hpp"

namespace forkloom::intercept {

// The kernel sends it to the process, in the course of a call of the calling task's, which holds
// signals back from then on until that call ends.
void send_in_passing(task_id process, const siginfo_t& info, const void* site) noexcept;

}  // namespace forkloom::intercept

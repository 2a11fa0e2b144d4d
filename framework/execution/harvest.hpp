// From the arena to a trace.
#pragma once

#include <vector>

#include "framework/execution/arena.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::execution {

// Copies everything that the arena knows of the execution. Tasks that the controller killed because
// the execution had ended count as alive.
[[nodiscard]] trace to_trace(const arena& a);

// Who is blocked on what, and who could still help. To be called while the tasks are suspended and
// not yet killed: who has which end of a pipe open is read from /proc.
[[nodiscard]] std::vector<wait_record> find_waits(const arena& a);

}  // namespace forkloom::execution

// Signals that processes get when their parent dies (prctl(2), PR_SET_PDEATHSIG).
#pragma once

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// The process is dead, and the kernel has sent its children the signal that they asked for. Those
// that die of it do so now, for the model as well; of the others it is not known when they run a
// handler, and that is noted. Async-signal-safe; the caller holds the token, or nobody does.
void end_orphans(arena& a, task_id process) noexcept;

}  // namespace forkloom::execution

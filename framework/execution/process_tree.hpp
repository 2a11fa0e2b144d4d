// Ends of processes: how one ended, and the end of all.
#pragma once

#include <sys/types.h>

namespace forkloom::execution {

// The wait status (as from waitpid(2)) of a process that is dead and perhaps not yet reaped. It
// need not be our child: a grandchild's status is read from /proc. 0 if its parent has reaped it
// already.
[[nodiscard]] int exit_status(pid_t pid, int pidfd) noexcept;

// Kills and reaps every descendant of this process, also those that nobody told us of: orphans are
// ours, since the controller is their subreaper or their init. Returns when none is left.
void kill_and_reap_descendants() noexcept;

}  // namespace forkloom::execution

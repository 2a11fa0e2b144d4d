// Forks and waits, for the families that are made of them. These require that controlled() has said
// yes; site: where the intercepted call returns to.
#pragma once

#include <sys/types.h>

#include "framework/trace/ids.hpp"

namespace forkloom::intercept {

// fork(2).
[[nodiscard]] pid_t fork_as_task(const void* site) noexcept;

// waitpid(2).
pid_t await_child(pid_t pid, int* status, int options, const void* site) noexcept;

// The task that is that process's main thread, or no_task.
[[nodiscard]] task_id task_of_process(pid_t pid) noexcept;

}  // namespace forkloom::intercept

// Forks and waits, for the families that are made of them. These require that controlled() has said
// yes; site: where the intercepted call returns to.
// And what other families ask about processes. Async-signal-safe.
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

// The task that is that process's main thread; no_task if it is none.
[[nodiscard]] task_id task_of(pid_t pid) noexcept;

// The task with that thread id; no_task if it is none.
[[nodiscard]] task_id thread_task(pid_t id) noexcept;

}  // namespace forkloom::intercept

// The scheduler: who runs next, who is enabled, and how the token moves. It has no process of its
// own. Whoever yields runs it, on the state in the arena; after a death the controller does.
//
// All functions require that the caller holds the token (or that nobody does, as before the first
// pick and after a death). They are async-signal-safe: no allocation, no lock, no errno.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// Makes a slot for a new task and lets it be enabled. no_task if all slots are in use; the
// execution has then ended with ending::task_limit.
[[nodiscard]] task_id birth(arena& a, task_id parent, std::string_view name) noexcept;

// The same for a task that is a further thread of its creator's process.
[[nodiscard]] task_id thread_birth(arena& a, task_id creator, std::string_view name) noexcept;

// Takes back a birth whose fork or clone failed.
void unborn(arena& a, task_id task) noexcept;

// The process that this task is the main thread of is gone, as a zombie or reaped, with all its
// threads: everything that the kernel cleans up has been cleaned up. Wakes all that a death may
// unblock. status: as from waitpid(2).
void death(arena& a, task_id process, int status) noexcept;

// The thread ends, and its process goes on. Wakes all that a death may unblock: the token must not
// move on before the kernel has cleaned up; see pass_token_at_end().
void thread_death(arena& a, task_id task) noexcept;

// Is the task the only one of its process that is not dead?
[[nodiscard]] bool is_last_of_process(const arena& a, task_id task) noexcept;

// The children of a task's process, as a resource that its threads can wait for; no_resource for
// no_task.
[[nodiscard]] resource_id children_of(arena& a, task_id parent) noexcept;

// The task as a thread that can be waited for.
[[nodiscard]] resource_id thread_resource(arena& a, task_id task) noexcept;

// Advances the clock by one step and lets the strategy pick the next task. When no task is enabled,
// time jumps to the next deadline. no_task if the execution has ended: nobody could go on, or a
// limit was reached; schedule.how says which.
[[nodiscard]] task_id choose(arena& a, task_id current, bool yields) noexcept;

// Hands the token to `next` and, unless `me` is no_task, sleeps until it comes back. With no_task
// for `next` the execution is over: the controller is told, and a caller that is a task sleeps for
// good, until it is killed.
void pass_token(arena& a, task_id me, task_id next) noexcept;

// For a thread that ends, after thread_death(): hands the token to `next` in the moment in which
// the kernel has cleaned up after the thread, and not now.
void pass_token_at_end(arena& a, task_id next) noexcept;

// Sleeps until the token is handed to `me`. The word is 1 for a token that was handed over, a
// thread's id and FUTEX_WAITERS if that thread's end will do so, and FUTEX_OWNER_DIED once it did.
void wait_for_token(arena& a, task_id me) noexcept;

// Marks `me` as waiting for any of `resources` until the deadline. It still holds the token.
// retryable: a death of anybody may unblock it, because the kernel's clean-up may.
void set_blocked(arena& a, task_id me, std::span<const resource_id> resources,
                 std::uint64_t deadline_ns, bool retryable) noexcept;

// Enables a blocked task.
void set_enabled(arena& a, task_id task, wake cause) noexcept;

// The resource has changed: all that wait for it may try again.
void wake_waiters(arena& a, resource_id resource) noexcept;

// The task executes a program: its process goes on as its main thread's task, which has the token,
// and all its other threads are gone. All whose waits the kernel's clean-up may have ended try
// again. Returns the main thread's task.
task_id only_main_thread(arena& a, task_id task) noexcept;

// Ends the execution; the controller will kill what still lives. Only the first call counts.
void end_execution(arena& a, ending how) noexcept;

// Appends an event at the current step and time; the rest of its members are the caller's.
// Null if the log is full: the execution has then ended with ending::step_limit.
event* append_event(arena& a, task_id task, operation op, resource_id resource,
                    outcome how) noexcept;

// Something changed for the better: the progress limit starts anew.
inline void note_progress(arena& a) noexcept { a.schedule.since_progress = 0; }

}  // namespace forkloom::execution

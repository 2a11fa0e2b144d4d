// Timers that end in a signal, in virtual time. The kernel's own are never started: when one of
// these is due, its process is told as of any signal, and queues the signal for itself.
//
// All functions require that the caller holds the token. Async-signal-safe.
#pragma once

#include "framework/execution/arena.hpp"

namespace forkloom::execution::timers {

// A free slot, for that process; null if all are in use.
[[nodiscard]] timer* make(arena& a, timer::sort sort, task_id process) noexcept;

// The timer of that sort and number; null if the process has none.
[[nodiscard]] timer* find(arena& a, timer::sort sort, task_id process, int id) noexcept;

// Starts it anew; no_deadline stops it. Its last signal, if that is still pending, stays.
void set(arena& a, timer& which, std::uint64_t deadline_ns, std::uint64_t interval_ns) noexcept;

// Nanoseconds until it expires next; 0 if it is not set.
[[nodiscard]] std::uint64_t remaining_ns(const arena& a, const timer& which) noexcept;

// Marks those whose time has come, and lowers `next` to the earliest deadline of the others.
void expire(arena& a, std::uint64_t& next) noexcept;

// The calling process makes the signals of its due timers pending in the kernel.
void queue_signals(arena& a, task_id process) noexcept;

// That signal of the process was delivered, or taken by a sigwait: an interval begins anew.
void accepted(arena& a, task_id process, int signal) noexcept;

// The process has another action for that signal: timers that ran without it may matter again.
void action_changed(arena& a, task_id process, int signal) noexcept;

// The process is gone.
void forget(arena& a, task_id process) noexcept;

// The process has become another program, which keeps only the timer of alarm(2).
void forget_posix(arena& a, task_id process) noexcept;

}  // namespace forkloom::execution::timers

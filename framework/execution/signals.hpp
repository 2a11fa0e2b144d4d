// Signals: what the model knows of them. What is pending, in which order, with which values, and
// what a handler's flags and mask mean is the kernel's own affair: signals are really sent.
//
// A task sleeps with all signals held back, so what others send it waits for it in the kernel. When
// it is picked they are let in, and handlers run while it holds the token: at the scheduling point
// before a call, or, if the call waits, when that has ended or finds once more that it must wait,
// which is when a call returns EINTR or is restarted. Only tasks that have ever caught a signal
// need this: to the others signals do what they do by default, at once.
//
// All functions require that the caller holds the token. Async-signal-safe: no allocation, no lock,
// no errno.
#pragma once

#include "framework/execution/arena.hpp"

namespace forkloom::execution::signals {

inline constexpr int count = 64;  // signals are 1 … 64

// Empty for numbers that are no signals.
[[nodiscard]] constexpr signal_set only(int signal) noexcept {
  return signal >= 1 && signal <= count ? signal_set{1} << (signal - 1) : 0;
}
[[nodiscard]] constexpr bool contains(signal_set set, int signal) noexcept {
  return (set & only(signal)) != 0;
}

// The task that stands for the process of this one.
[[nodiscard]] task_id process_of(const arena& a, task_id task) noexcept;

[[nodiscard]] bool lives(const arena& a, task_id task) noexcept;

[[nodiscard]] signal_actions& actions_of(arena& a, task_id task) noexcept;

// That signal of that process, as a resource; 0 stands for all its signals.
[[nodiscard]] resource_id resource_of(arena& a, task_id task, int signal) noexcept;

// What sending it to that process does, as long as nobody blocks it.
[[nodiscard]] bool vanishes(const arena& a, task_id process, int signal) noexcept;
[[nodiscard]] bool stops(const arena& a, task_id process, int signal) noexcept;
[[nodiscard]] bool terminates(const arena& a, task_id process, int signal) noexcept;

// A fresh task has the parent's actions and mask. It is born with signals held back, and its first
// let_in() ends that.
void inherit(arena& a, task_id parent, task_id child) noexcept;

// The task has executed a program: its handlers are gone, and so are the timers but that of alarm.
void begin_program(arena& a, task_id me) noexcept;

// The calling task's signals are held back from here on, its own mask is kept. No effect the second
// time.
void hold(arena& a, task_id me) noexcept;

// Lets them in: handlers run before this returns. Tells whether a call that was waiting is
// interrupted or restarted by that; retry: no handler has run.
wake let_in(arena& a, task_id me) noexcept;

// As let_in(), for a call that may go on to wait: signals stay held back if none is to be let in.
wake let_in_before_wait(arena& a, task_id me) noexcept;

// One delivery of that signal to the task: its handler begins, or the process ends. flags: those of
// its action.
void delivered(arena& a, task_id me, int signal, std::uint64_t flags) noexcept;

// The kernel's mask of the task has been changed past the model.
void mask_changed(arena& a, task_id me) noexcept;

// Until the call ends, that mask takes the place of the task's own, as in sigsuspend(2).
void mask_until_end(arena& a, task_id me, signal_set mask) noexcept;

// The kernel has made it pending for the process, or for one task of it: whoever waits and would be
// interrupted by it, or waits for it, is enabled.
void arrived(arena& a, task_id process, task_id only_task, int signal) noexcept;

// A child of that process has died, stopped or gone on.
void child_changed(arena& a, task_id parent, task_id child) noexcept;

// All tasks of the process have been stopped, or go on.
void stopped(arena& a, task_id process) noexcept;
void continued(arena& a, task_id process) noexcept;

// Waits, in real time, until the kernel has stopped all threads of the process, or has let them go
// on. Nobody else runs meanwhile.
void await_stop(arena& a, task_id process) noexcept;
void await_continuation(arena& a, task_id process) noexcept;

// The same for its death of that signal: once it is a zombie, the kernel has cleaned up after it,
// and it is dead for the model as well.
void await_death(arena& a, task_id process, int signal) noexcept;

// The process, if it is stopped, has been sent SIGCONT: it goes on, and its parent hears of it. If
// a signal that ends it has come meanwhile, that does. goes_on: the model's part of it.
void let_go_on(arena& a, task_id process) noexcept;
void goes_on(arena& a, task_id process) noexcept;

// The calling task's process stops: it hands on the token and sleeps until it goes on.
void stop_self(arena& a, task_id me, int signal) noexcept;

// A task that stops itself has handed on the token; whoever got it makes it real.
void carry_out_stop(arena& a) noexcept;

}  // namespace forkloom::execution::signals

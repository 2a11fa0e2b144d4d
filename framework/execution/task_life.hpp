// The beginning and the end of a task, be it a process's main thread or a further one.
#pragma once

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// In a process or thread that was born as that task: becomes it when it is picked.
void begin_life(task_id task) noexcept;

// In the new image of a process that executed a program and holds the token: goes on as that task.
void resume_life(task_id task) noexcept;

// The scheduling point before a process's regular end, whichever of its threads brings it about.
// The token is given back only when the process is seen dead, so whatever the kernel cleans up is
// cleaned up before anybody else runs.
void announce_exit() noexcept;

// Flushes the streams, announces the exit, and exits without running exit handlers: those belong to
// the program that the task was forked from.
[[noreturn]] void leave_body(int code) noexcept;

// A main thread whose process goes on without it, or ends with it if it is the last.
[[noreturn]] void leave_main_thread() noexcept;

// The last thing that a thread does that is a task: it is dead for all others, and they go on when
// the kernel has cleaned up after it. The last thread of a process ends the process with exit(0).
// Afterwards the thread is no task.
void leave_thread() noexcept;

}  // namespace forkloom::execution

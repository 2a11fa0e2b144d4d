// The end of a task, as an operation of its own. The beginning is the controller's spawn(), or
// fork().
#pragma once

namespace forkloom::execution {

// The scheduling point before a task's regular end. The token is given back only when the process
// is seen dead, so whatever the kernel cleans up is cleaned up before anybody else runs.
void announce_exit() noexcept;

// Flushes the streams, announces the exit, and exits without running exit handlers: those belong to
// the program that the task was forked from.
[[noreturn]] void leave_body(int code) noexcept;

}  // namespace forkloom::execution

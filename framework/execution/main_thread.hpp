// The main thread of a process that was forked in the middle of a program.
#pragma once

#include <functional>

namespace forkloom::execution {

// Runs the body of a task's process. If the body leaves its thread with pthread_exit(), this does
// not return: the thread ends here, and its process when its last thread does. Requires that the
// calling thread has become a task.
void run_in_main_thread(const std::function<void()>& body);

}  // namespace forkloom::execution

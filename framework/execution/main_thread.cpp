#include "framework/execution/main_thread.hpp"

#include <pthread.h>

#include "framework/execution/task_life.hpp"

// What C's pthread_cleanup_push() is made of; hidden from C++, which unwinds by destructors.
extern "C" {
void __pthread_register_cancel(__pthread_unwind_buf_t* buffer);    // NOLINT: libc's name
void __pthread_unregister_cancel(__pthread_unwind_buf_t* buffer);  // NOLINT: libc's name
}

namespace forkloom::execution {

// pthread_exit() unwinds the stack, and below a body lie the frames of the program that forked it:
// their destructors are not the process's, and some of them let nothing pass. Unwinding stops where
// the last clean-up handler was registered, which is here, and is not taken up again.
//
// The destructors of the thread's pthread keys are lost, as only libc can call them.
void run_in_main_thread(const std::function<void()>& body) {
  __pthread_unwind_buf_t here;
  if (__sigsetjmp_cancel(here.__cancel_jmp_buf, 0) != 0) leave_main_thread();
  __pthread_register_cancel(&here);
  body();
  __pthread_unregister_cancel(&here);
}

}  // namespace forkloom::execution

// Threads, for the families that are another way to write pthreads.
#pragma once

#include <pthread.h>

#include <cstdint>

#include "framework/execution/call.hpp"

namespace forkloom::intercept {

// The thread with that handle in the caller's process; no_task if it is none that is known. A
// handle may be given again once its thread was joined, or was detached and ended.
[[nodiscard]] task_id thread_of_handle(pthread_t handle) noexcept;

struct thread_start {
  std::uint64_t routine = 0;  // void* (*)(void*), or of C11: int (*)(void*)
  void* argument = nullptr;
  bool is_c11 = false;
};

// These require that controlled() has said yes; site: where the intercepted call returns to. They
// return error numbers as their namesakes of pthreads do.
[[nodiscard]] int create_thread(pthread_t* thread, const pthread_attr_t* attributes,
                                const thread_start& start, const void* site) noexcept;
[[nodiscard]] int detach_thread(pthread_t handle, const void* site) noexcept;

// deadline_ns: virtual time; one that has passed tries.
[[nodiscard]] int join_thread(pthread_t handle, void** value, std::uint64_t deadline_ns,
                              const void* site) noexcept;

}  // namespace forkloom::intercept

// A process-shared POSIX condition variable.
//
// Process-safety: make it in shared memory, beside its mutex (scenario::make<condition>); then
// every process may call every member.
#pragma once

#include <pthread.h>

#include <mutex>

#include "forkloom/ipc/error.hpp"
#include "forkloom/ipc/mutex.hpp"

namespace forkloom::ipc {

class condition {
 public:
  // Throws std::system_error: ENOMEM, EAGAIN (pthread_cond_init(3)).
  condition() {
    pthread_condattr_t attributes;
    check(::pthread_condattr_init(&attributes), "preparing a condition variable's attributes");
    ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    const int made = ::pthread_cond_init(&condition_, &attributes);
    ::pthread_condattr_destroy(&attributes);
    check(made, "making a condition variable");
  }
  condition(const condition&) = delete;
  condition& operator=(const condition&) = delete;
  ~condition() { ::pthread_cond_destroy(&condition_); }

  // Gives the mutex back, waits for a notification and takes the mutex again. A notification that
  // came before is not remembered, and when this returns another process may have been faster:
  // prefer the form with a predicate. The lock must own its mutex.
  // Throws std::system_error: EOWNERDEAD, ENOTRECOVERABLE (robust mutexes).
  void wait(std::unique_lock<mutex>& lock) {
    check(::pthread_cond_wait(&condition_, lock.mutex()->native_handle()),
          "waiting for a condition variable");
  }

  // Waits until ready() is true. ready() is called with the mutex held, first of all at once.
  template <class Ready>
  void wait(std::unique_lock<mutex>& lock, Ready ready) {
    while (!ready()) wait(lock);
  }

  // Wakes one of those that wait; nobody if nobody does.
  void notify_one() {
    check(::pthread_cond_signal(&condition_), "signalling a condition variable");
  }

  // Wakes all that wait.
  void notify_all() {
    check(::pthread_cond_broadcast(&condition_), "broadcasting to a condition variable");
  }

  // The real object, for pthread_cond_timedwait(3) and whatever else there is.
  [[nodiscard]] pthread_cond_t* native_handle() noexcept { return &condition_; }

 private:
  pthread_cond_t condition_;
};

}  // namespace forkloom::ipc

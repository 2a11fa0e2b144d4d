// A process-shared unnamed POSIX semaphore.
//
// Process-safety: make it in shared memory (scenario::make<semaphore>(name, count)); then every
// process may call every member.
#pragma once

#include <semaphore.h>

#include <cerrno>

#include "forkloom/ipc/error.hpp"

namespace forkloom::ipc {

class semaphore {
 public:
  // initial: how many acquire() succeed before anybody has to wait.
  // Throws std::system_error: EINVAL above SEM_VALUE_MAX (sem_init(3)).
  explicit semaphore(unsigned initial) {
    check_call(::sem_init(&semaphore_, 1, initial), "making a semaphore");
  }
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;
  ~semaphore() { ::sem_destroy(&semaphore_); }

  // Takes one; waits while there is none. Throws std::system_error: EINTR.
  void acquire() { check_call(::sem_wait(&semaphore_), "waiting for a semaphore"); }

  // Takes one if there is one; never waits. True if it did.
  [[nodiscard]] bool try_acquire() {
    if (::sem_trywait(&semaphore_) == 0) return true;
    if (errno != EAGAIN) fail(errno, "trying a semaphore");
    return false;
  }

  // Puts one back, whoever took it. Throws std::system_error: EOVERFLOW.
  void release() { check_call(::sem_post(&semaphore_), "posting a semaphore"); }

  // The real object, for sem_timedwait(3) and whatever else there is.
  [[nodiscard]] sem_t* native_handle() noexcept { return &semaphore_; }

 private:
  sem_t semaphore_;
};

}  // namespace forkloom::ipc

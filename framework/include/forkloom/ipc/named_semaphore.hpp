// A named POSIX semaphore, which processes find by its name.
//
// Process-safety: the handle belongs to the process that made it, and to those forked from it; do
// not put it into shared memory. The semaphore behind it is everybody's.
#pragma once

#include <fcntl.h>
#include <semaphore.h>

#include <cerrno>
#include <string>
#include <utility>

#include "forkloom/ipc/error.hpp"

namespace forkloom::ipc {

class named_semaphore {
 public:
  // Makes the semaphore, which must not exist, with that many to take; anybody of the same user may
  // open it. name: "/orders", see sem_overview(7).
  // Throws std::system_error: EEXIST, EACCES, EINVAL (sem_open(3)).
  [[nodiscard]] static named_semaphore create(const std::string& name, unsigned initial) {
    return named_semaphore(name, ::sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, initial));
  }

  // Opens a semaphore that exists. Throws std::system_error: ENOENT, EACCES (sem_open(3)).
  [[nodiscard]] static named_semaphore open(const std::string& name) {
    return named_semaphore(name, ::sem_open(name.c_str(), 0));
  }

  // Removes the name. Who has the semaphore open keeps it; it goes with the last of them.
  // Throws std::system_error: ENOENT, EACCES (sem_unlink(3)).
  static void unlink(const std::string& name) {
    check_call(::sem_unlink(name.c_str()), "unlinking the semaphore " + name);
  }

  named_semaphore(const named_semaphore&) = delete;
  named_semaphore& operator=(const named_semaphore&) = delete;
  ~named_semaphore() { ::sem_close(semaphore_); }  // closes; does not unlink

  // Takes one; waits while there is none. Throws std::system_error: EINTR.
  void acquire() { check_call(::sem_wait(semaphore_), "waiting for the semaphore " + name_); }

  // Takes one if there is one; never waits. True if it did.
  [[nodiscard]] bool try_acquire() {
    if (::sem_trywait(semaphore_) == 0) return true;
    if (errno != EAGAIN) fail(errno, "trying the semaphore " + name_);
    return false;
  }

  // Puts one back, whoever took it. Throws std::system_error: EOVERFLOW.
  void release() { check_call(::sem_post(semaphore_), "posting the semaphore " + name_); }

  // The real object, for sem_timedwait(3) and whatever else there is.
  [[nodiscard]] sem_t* native_handle() noexcept { return semaphore_; }

 private:
  named_semaphore(std::string name, sem_t* semaphore)
      : name_(std::move(name)), semaphore_(semaphore) {
    if (semaphore_ == SEM_FAILED) fail(errno, "opening the semaphore " + name_);
  }

  std::string name_;
  sem_t* semaphore_;
};

}  // namespace forkloom::ipc

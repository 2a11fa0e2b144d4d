// A process-shared POSIX mutex with an owner.
//
// Process-safety: make it in shared memory (scenario::make<mutex>); then every process may call
// every member. It goes with std::scoped_lock, std::unique_lock and ipc::condition. The destructor
// must run once, in one process, when nobody uses the mutex any more; scenario::make sees to it.
#pragma once

#include <pthread.h>

#include <cerrno>

#include "forkloom/ipc/error.hpp"

namespace forkloom::ipc {

class mutex {
 public:
  // What the mutex does about a second lock() by its owner and an unlock() by somebody else.
  enum class kind : int {
    normal = PTHREAD_MUTEX_NORMAL,        // locking twice waits for ever; unlocking is not checked
    recursive = PTHREAD_MUTEX_RECURSIVE,  // locks are counted; a foreign unlock() throws EPERM
    errorcheck =
        PTHREAD_MUTEX_ERRORCHECK,  // locking twice throws EDEADLK, a foreign unlock() EPERM
  };

  // Whether the mutex survives the death of its owner; see pthread_mutexattr_setrobust(3).
  enum class robustness : int {
    stalled = PTHREAD_MUTEX_STALLED,  // those who want it wait for ever
    robust = PTHREAD_MUTEX_ROBUST,    // the next one gets it, and is told
  };

  // How the mutex was got.
  enum class acquired {
    clean,
    // The owner before died while it held the mutex (EOWNERDEAD). The caller has it now, must mend
    // what the mutex protects and call consistent() before unlock().
    owner_died,
  };

  // Throws std::system_error: ENOMEM, EAGAIN (pthread_mutex_init(3)).
  explicit mutex(kind which = kind::normal, robustness death = robustness::stalled) {
    pthread_mutexattr_t attributes;
    check(::pthread_mutexattr_init(&attributes), "preparing a mutex's attributes");
    ::pthread_mutexattr_settype(&attributes, static_cast<int>(which));
    ::pthread_mutexattr_setrobust(&attributes, static_cast<int>(death));
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    const int made = ::pthread_mutex_init(&mutex_, &attributes);
    ::pthread_mutexattr_destroy(&attributes);
    check(made, "making a mutex");
  }
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
  ~mutex() { ::pthread_mutex_destroy(&mutex_); }

  // Waits until the caller has it. With a robust mutex look at the result.
  // Throws std::system_error: EDEADLK (errorcheck), EAGAIN (recursive, too many locks),
  // ENOTRECOVERABLE (robust: somebody unlocked it after owner_died without consistent()).
  acquired lock() {
    const int result = ::pthread_mutex_lock(&mutex_);
    if (result == EOWNERDEAD) return acquired::owner_died;
    check(result, "locking a mutex");
    return acquired::clean;
  }

  // Takes it if it is free; never waits. True if the caller has it now. Not for robust mutexes
  // whose owner may die: that throws EOWNERDEAD, and the caller has it nevertheless.
  // Throws std::system_error: as lock(), without EDEADLK.
  [[nodiscard]] bool try_lock() {
    const int result = ::pthread_mutex_trylock(&mutex_);
    if (result == EBUSY) return false;
    check(result, "trying to lock a mutex");
    return true;
  }

  // Gives it back. Throws std::system_error: EPERM if the caller does not have it (recursive,
  // errorcheck, robust).
  void unlock() { check(::pthread_mutex_unlock(&mutex_), "unlocking a mutex"); }

  // Says that what the mutex protects is whole again, after lock() returned owner_died. Without it
  // the next unlock() makes the mutex unusable for good.
  // Throws std::system_error: EINVAL if there is nothing to mend.
  void consistent() { check(::pthread_mutex_consistent(&mutex_), "mending a mutex"); }

  // The real object, for pthread_mutex_timedlock(3) and whatever else there is.
  [[nodiscard]] pthread_mutex_t* native_handle() noexcept { return &mutex_; }

 private:
  pthread_mutex_t mutex_;
};

}  // namespace forkloom::ipc

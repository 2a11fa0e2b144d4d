// Which operations take locks, and which give them back. Semaphores are none: whether a program
// uses one as a lock shows in the whole trace only.
#pragma once

#include "framework/trace/operation.hpp"

namespace forkloom {

// A mutex, read-write lock or spin lock; by waiting for it or by trying. A condition wait, which
// takes its mutex again, is not among them: vector_clock.hpp tells of those.
[[nodiscard]] constexpr bool takes_lock(operation op) noexcept {
  switch (op) {
    case operation::mutex_lock:
    case operation::mutex_trylock:
    case operation::rwlock_rdlock:
    case operation::rwlock_tryrdlock:
    case operation::rwlock_wrlock:
    case operation::rwlock_trywrlock:
    case operation::spin_lock:
    case operation::spin_trylock:
      return true;
    default:
      return false;
  }
}

[[nodiscard]] constexpr bool gives_lock_back(operation op) noexcept {
  return op == operation::mutex_unlock || op == operation::rwlock_unlock ||
         op == operation::spin_unlock;
}

// A lock on a file or on bytes of it.
[[nodiscard]] constexpr bool takes_file_lock(operation op) noexcept {
  return op == operation::flock || op == operation::record_lock || op == operation::record_trylock;
}

[[nodiscard]] constexpr bool gives_file_lock_back(operation op) noexcept {
  return op == operation::file_unlock || op == operation::record_unlock;
}

}  // namespace forkloom

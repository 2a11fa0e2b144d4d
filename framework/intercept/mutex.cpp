// pthread mutexes: normal, recursive, error-checking and robust; process-shared and private.
//
// Resource: the mutex, by its place. Owner: the task that locked it last and has not unlocked it.
// Blocks: lock and the timed forms, while the real trylock says EBUSY.
// Releases: unlock, and the death of anybody (robust mutexes pass to their waiters).
// Async-signal-safe: nothing is allocated, no lock but the caller's is taken.
#include "framework/intercept/mutex.hpp"

#include <cerrno>

#include "framework/execution/identity.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

constinit next<decltype(::pthread_mutex_init)> real_init{"pthread_mutex_init"};
constinit next<decltype(::pthread_mutex_destroy)> real_destroy{"pthread_mutex_destroy"};
constinit next<decltype(::pthread_mutex_lock)> real_lock{"pthread_mutex_lock"};
constinit next<decltype(::pthread_mutex_trylock)> real_trylock{"pthread_mutex_trylock"};
constinit next<decltype(::pthread_mutex_timedlock)> real_timedlock{"pthread_mutex_timedlock"};
constinit next<decltype(::pthread_mutex_clocklock)> real_clocklock{"pthread_mutex_clocklock"};
constinit next<decltype(::pthread_mutex_unlock)> real_unlock{"pthread_mutex_unlock"};
constinit next<decltype(::pthread_mutex_consistent)> real_consistent{"pthread_mutex_consistent"};

// The type lies in the low bits of the kind, in every layout that glibc has had; above it are the
// robust, priority and process-shared flags.
int type_of(const pthread_mutex_t* mutex) noexcept { return mutex->__data.__kind & 3; }

bool locked(int result) noexcept { return result == 0 || result == EOWNERDEAD; }

bool owned_by_caller(const pthread_mutex_t* mutex) noexcept {
  return execution::current_arena()->resources[resource_of(mutex)].owner == execution::self();
}

// EDEADLK of an error-checking mutex and EINVAL of a bad time-out come before any waiting.
int timed_lock(pthread_mutex_t* mutex, clockid_t clock, const timespec* until,
               const void* site) noexcept {
  controlled_call call{operation::mutex_lock, resource_of(mutex), site};
  call.asks(1, 0);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return call.failed_with(EINVAL);
  // A time-out that is not valid matters only if the call would have to wait.
  const auto deadline = valid(*until) ? deadline_at(clock, *until) : 0;
  const auto result = lock_within(call, mutex, deadline);
  if (locked(result)) return call.completed(result);
  return call.failed_with(result == ETIMEDOUT && !valid(*until) ? EINVAL : result);
}

}  // namespace

resource_id resource_of(const pthread_mutex_t* mutex) noexcept {
  return execution::resource_at(mutex, resource_kind::mutex);
}

int lock_within(controlled_call& call, pthread_mutex_t* mutex, std::uint64_t deadline_ns) noexcept {
  const auto resource = resource_of(mutex);
  for (;;) {
    const auto result = real_trylock(mutex);
    if (locked(result)) {
      execution::set_owner(resource, execution::self());
      return result;
    }
    if (result != EBUSY) return result;
    if (type_of(mutex) == PTHREAD_MUTEX_ERRORCHECK && owned_by_caller(mutex)) return EDEADLK;
    if (call.block_on({&resource, 1}, deadline_ns) == wake::timed_out) return ETIMEDOUT;
  }
}

int unlock_within(pthread_mutex_t* mutex) noexcept {
  const auto result = real_unlock(mutex);
  // A recursive mutex may still be held; its count says so.
  const bool still_held = type_of(mutex) == PTHREAD_MUTEX_RECURSIVE && mutex->__data.__count != 0;
  if (result == 0 && !still_held) {
    execution::set_owner(resource_of(mutex), no_task);
    execution::changed(resource_of(mutex));
  }
  return result;
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  if (!controlled()) return real_clocklock(mutex, clock, until);
  return timed_lock(mutex, clock, until, __builtin_return_address(0));
}

int pthread_mutex_consistent(pthread_mutex_t* mutex) noexcept {
  if (!controlled()) return real_consistent(mutex);
  controlled_call call{operation::mutex_consistent, resource_of(mutex),
                       __builtin_return_address(0)};
  const auto result = real_consistent(mutex);
  return result == 0 ? call.completed(0) : call.failed_with(result);
}

int pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept {
  if (!controlled()) {
    const auto result = real_destroy(mutex);
    // The controller tidies up after tasks that were killed while they held the mutex: its memory
    // is thrown away, so being busy is no error.
    return execution::current_arena() != nullptr ? 0 : result;
  }
  controlled_call call{operation::mutex_destroy, resource_of(mutex), __builtin_return_address(0)};
  const auto result = real_destroy(mutex);
  return result == 0 ? call.completed(0) : call.failed_with(result);
}

int pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) noexcept {
  const auto result = real_init(mutex, attributes);
  if (!controlled()) return result;
  auto call = controlled_call::silent(operation::mutex_init, resource_of(mutex),
                                      __builtin_return_address(0));
  if (result != 0) return call.failed_with(result);
  execution::set_owner(call.resource(), no_task);
  return call.completed(0);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (!controlled()) return real_lock(mutex);
  controlled_call call{operation::mutex_lock, resource_of(mutex), __builtin_return_address(0)};
  const auto result = lock_within(call, mutex, no_deadline);
  return locked(result) ? call.completed(result) : call.failed_with(result);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) noexcept {
  if (!controlled()) return real_timedlock(mutex, until);
  return timed_lock(mutex, CLOCK_REALTIME, until, __builtin_return_address(0));
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  if (!controlled()) return real_trylock(mutex);
  controlled_call call{operation::mutex_trylock, resource_of(mutex), __builtin_return_address(0)};
  const auto result = real_trylock(mutex);
  if (!locked(result)) return call.failed_with(result);
  execution::set_owner(call.resource(), execution::self());
  return call.completed(result);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  if (!controlled()) return real_unlock(mutex);
  controlled_call call{operation::mutex_unlock, resource_of(mutex), __builtin_return_address(0)};
  const auto result = unlock_within(mutex);
  return result == 0 ? call.completed(0) : call.failed_with(result);
}

}  // extern "C"

// pthread spin locks, process-shared and private.
//
// Resource: the spin lock, by its place. Owner: the task that took it last and has not given it up.
// Blocks: lock, while the real trylock says EBUSY. Spinning would find nothing new before another
// task has run, and would burn the step limit.
// Releases: unlock. A death gives nothing back.
// Async-signal-safe: nothing is allocated, no lock but the caller's is taken.
#include <pthread.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::pthread_spin_init)> real_init{"pthread_spin_init"};
constinit next<decltype(::pthread_spin_destroy)> real_destroy{"pthread_spin_destroy"};
constinit next<decltype(::pthread_spin_lock)> real_lock{"pthread_spin_lock"};
constinit next<decltype(::pthread_spin_trylock)> real_trylock{"pthread_spin_trylock"};
constinit next<decltype(::pthread_spin_unlock)> real_unlock{"pthread_spin_unlock"};

resource_id spin_lock_at(const volatile void* lock) noexcept {
  // The place is all that is wanted, and that is not volatile.
  return execution::resource_at(const_cast<const void*>(lock),  // NOLINT
                                resource_kind::spin_lock);
}

int finish(controlled_call& call, int result) noexcept {
  return result == 0 ? call.completed(0) : call.failed_with(result);
}

int taken(controlled_call& call) noexcept {
  execution::set_owner(call.resource(), execution::self());
  return call.completed(0);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_spin_destroy(pthread_spinlock_t* lock) noexcept {
  if (!controlled()) return real_destroy(lock);
  controlled_call call{operation::spin_destroy, spin_lock_at(lock), __builtin_return_address(0)};
  return finish(call, real_destroy(lock));
}

int pthread_spin_init(pthread_spinlock_t* lock, int shared) noexcept {
  const auto result = real_init(lock, shared);
  if (!controlled()) return result;
  auto call = controlled_call::silent(operation::spin_init, spin_lock_at(lock),
                                      __builtin_return_address(0));
  if (result == 0) execution::set_owner(call.resource(), no_task);
  return finish(call, result);
}

int pthread_spin_lock(pthread_spinlock_t* lock) noexcept {
  if (!controlled()) return real_lock(lock);
  controlled_call call{operation::spin_lock, spin_lock_at(lock), __builtin_return_address(0)};
  for (;;) {
    const auto result = real_trylock(lock);
    if (result == 0) return taken(call);
    if (result != EBUSY) return call.failed_with(result);
    call.block();
  }
}

int pthread_spin_trylock(pthread_spinlock_t* lock) noexcept {
  if (!controlled()) return real_trylock(lock);
  controlled_call call{operation::spin_trylock, spin_lock_at(lock), __builtin_return_address(0)};
  const auto result = real_trylock(lock);
  return result == 0 ? taken(call) : call.failed_with(result);
}

int pthread_spin_unlock(pthread_spinlock_t* lock) noexcept {
  if (!controlled()) return real_unlock(lock);
  controlled_call call{operation::spin_unlock, spin_lock_at(lock), __builtin_return_address(0)};
  const auto result = real_unlock(lock);
  if (result == 0) execution::set_owner(call.resource(), no_task);
  return finish(call, result);
}

}  // extern "C"

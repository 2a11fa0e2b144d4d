// pthread read-write locks, process-shared and private, of all kinds.
//
// Resource: the lock, by its place. Owner: the task that holds it for writing. Model: how many
// writers wait.
// Blocks: rdlock, wrlock and their timed forms, while the real try function says EBUSY; with the
// kind PREFER_WRITER_NONRECURSIVE readers also while a writer waits. That writer never enters the
// real lock, so the real try function cannot know of it.
// Releases: the unlock that leaves nobody inside; a writer that gives up waiting lets readers in.
// Neither the death of a holder nor that of a waiter gives anything back. (With glibc a waiter that
// is killed can leave the lock unusable. That is not modelled: a dead waiter is forgotten.)
// Async-signal-safe: nothing is allocated, no lock but the caller's is taken.
#include <pthread.h>

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

constinit next<decltype(::pthread_rwlock_init)> real_init{"pthread_rwlock_init"};
constinit next<decltype(::pthread_rwlock_destroy)> real_destroy{"pthread_rwlock_destroy"};
constinit next<decltype(::pthread_rwlock_rdlock)> real_rdlock{"pthread_rwlock_rdlock"};
constinit next<decltype(::pthread_rwlock_tryrdlock)> real_tryrdlock{"pthread_rwlock_tryrdlock"};
constinit next<decltype(::pthread_rwlock_timedrdlock)> real_timedrdlock{
    "pthread_rwlock_timedrdlock"};
constinit next<decltype(::pthread_rwlock_clockrdlock)> real_clockrdlock{
    "pthread_rwlock_clockrdlock"};
constinit next<decltype(::pthread_rwlock_wrlock)> real_wrlock{"pthread_rwlock_wrlock"};
constinit next<decltype(::pthread_rwlock_trywrlock)> real_trywrlock{"pthread_rwlock_trywrlock"};
constinit next<decltype(::pthread_rwlock_timedwrlock)> real_timedwrlock{
    "pthread_rwlock_timedwrlock"};
constinit next<decltype(::pthread_rwlock_clockwrlock)> real_clockwrlock{
    "pthread_rwlock_clockwrlock"};
constinit next<decltype(::pthread_rwlock_unlock)> real_unlock{"pthread_rwlock_unlock"};

resource_id rwlock_at(const pthread_rwlock_t* lock) noexcept {
  return execution::resource_at(lock, resource_kind::rwlock);
}

std::uint64_t& waiting_writers(resource_id lock) noexcept {
  return execution::current_arena()->resources[lock].model[0];
}

task_id owner_of(resource_id lock) noexcept {
  return execution::current_arena()->resources[lock].owner;
}

// Does a living task want it for writing? Dead ones took their wait with them without a word.
bool wanted_by_living_writer(resource_id lock) noexcept {
  const auto& a = *execution::current_arena();
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto& t = a.tasks[i];
    const bool lives = t.state == execution::task_state::blocked ||
                       (t.state == execution::task_state::ready && task_id(i) != execution::self());
    if (lives && t.pending == operation::rwlock_wrlock && t.pending_resource == lock) return true;
  }
  return false;
}

bool writer_comes_first(const pthread_rwlock_t* lock, resource_id resource) noexcept {
  if (lock->__data.__flags != PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) return false;
  auto& waiting = waiting_writers(resource);
  if (waiting != 0 && !wanted_by_living_writer(resource)) waiting = 0;
  return waiting != 0;
}

int try_read(pthread_rwlock_t* lock, resource_id resource) noexcept {
  if (writer_comes_first(lock, resource)) return EBUSY;
  const auto result = real_tryrdlock(lock);
  if (result == 0) execution::set_owner(resource, no_task);
  return result;
}

int try_write(pthread_rwlock_t* lock, resource_id resource) noexcept {
  const auto result = real_trywrlock(lock);
  if (result == 0) execution::set_owner(resource, execution::self());
  return result;
}

// Whoever takes the lock lets nobody else go on.
int finish(controlled_call& call, int result) noexcept {
  return result == 0 ? call.completed_without_waking(0) : call.failed_with(result);
}

int lock_for_reading(pthread_rwlock_t* lock, std::uint64_t deadline, const void* site) noexcept {
  controlled_call call{operation::rwlock_rdlock, rwlock_at(lock), site};
  call.asks(deadline == no_deadline ? 0 : 1, 0);
  for (;;) {
    const auto result = try_read(lock, call.resource());
    if (result != EBUSY) return finish(call, result);
    if (owner_of(call.resource()) == execution::self()) return call.failed_with(EDEADLK);
    if (call.block(deadline) == wake::timed_out) return call.failed_with(ETIMEDOUT);
  }
}

// A writer that has begun to wait keeps readers out until it stops, whatever the outcome.
class waiting_writer {
 public:
  explicit waiting_writer(resource_id lock) noexcept : lock_(lock) {}
  waiting_writer(const waiting_writer&) = delete;
  waiting_writer& operator=(const waiting_writer&) = delete;
  ~waiting_writer() {
    if (waits_ && waiting_writers(lock_) != 0) --waiting_writers(lock_);
  }

  void begin() noexcept {
    if (!waits_) ++waiting_writers(lock_);
    waits_ = true;
  }

 private:
  resource_id lock_;
  bool waits_ = false;
};

int lock_for_writing(pthread_rwlock_t* lock, std::uint64_t deadline, const void* site) noexcept {
  controlled_call call{operation::rwlock_wrlock, rwlock_at(lock), site};
  call.asks(deadline == no_deadline ? 0 : 1, 0);
  waiting_writer self{call.resource()};
  for (;;) {
    const auto result = try_write(lock, call.resource());
    if (result != EBUSY) return finish(call, result);
    if (owner_of(call.resource()) == execution::self()) return call.failed_with(EDEADLK);
    self.begin();
    if (call.block(deadline) != wake::timed_out) continue;
    execution::changed(call.resource());  // readers that stood behind it
    return call.failed_with(ETIMEDOUT);
  }
}

// glibc judges clock and time-out before it tries, also where it would not have to wait.
int timed(operation op, pthread_rwlock_t* lock, clockid_t clock, const timespec* until,
          const void* site) noexcept {
  if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) || !valid(*until)) {
    controlled_call call{op, rwlock_at(lock), site};
    return call.failed_with(EINVAL);
  }
  const auto deadline = deadline_at(clock, *until);
  return op == operation::rwlock_rdlock ? lock_for_reading(lock, deadline, site)
                                        : lock_for_writing(lock, deadline, site);
}

// Are readers inside? Their number stands above three bits of state, in every layout since glibc
// 2.25.
bool still_read(const pthread_rwlock_t* lock) noexcept { return lock->__data.__readers >> 3 != 0; }

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* until) noexcept {
  if (!controlled()) return real_clockrdlock(lock, clock, until);
  return timed(operation::rwlock_rdlock, lock, clock, until, __builtin_return_address(0));
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* until) noexcept {
  if (!controlled()) return real_clockwrlock(lock, clock, until);
  return timed(operation::rwlock_wrlock, lock, clock, until, __builtin_return_address(0));
}

int pthread_rwlock_destroy(pthread_rwlock_t* lock) noexcept {
  if (!controlled()) return real_destroy(lock);
  controlled_call call{operation::rwlock_destroy, rwlock_at(lock), __builtin_return_address(0)};
  return finish(call, real_destroy(lock));
}

int pthread_rwlock_init(pthread_rwlock_t* lock, const pthread_rwlockattr_t* attributes) noexcept {
  const auto result = real_init(lock, attributes);
  if (!controlled()) return result;
  auto call =
      controlled_call::silent(operation::rwlock_init, rwlock_at(lock), __builtin_return_address(0));
  if (result != 0) return call.failed_with(result);
  execution::set_owner(call.resource(), no_task);
  waiting_writers(call.resource()) = 0;
  return call.completed(0);
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  if (!controlled()) return real_rdlock(lock);
  return lock_for_reading(lock, no_deadline, __builtin_return_address(0));
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  if (!controlled()) return real_timedrdlock(lock, until);
  return timed(operation::rwlock_rdlock, lock, CLOCK_REALTIME, until, __builtin_return_address(0));
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  if (!controlled()) return real_timedwrlock(lock, until);
  return timed(operation::rwlock_wrlock, lock, CLOCK_REALTIME, until, __builtin_return_address(0));
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  if (!controlled()) return real_tryrdlock(lock);
  controlled_call call{operation::rwlock_tryrdlock, rwlock_at(lock), __builtin_return_address(0)};
  return finish(call, try_read(lock, call.resource()));
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  if (!controlled()) return real_trywrlock(lock);
  controlled_call call{operation::rwlock_trywrlock, rwlock_at(lock), __builtin_return_address(0)};
  return finish(call, try_write(lock, call.resource()));
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  if (!controlled()) return real_unlock(lock);
  controlled_call call{operation::rwlock_unlock, rwlock_at(lock), __builtin_return_address(0)};
  const auto result = real_unlock(lock);
  if (result != 0) return call.failed_with(result);
  if (still_read(lock)) return call.completed_without_waking(0);
  execution::set_owner(call.resource(), no_task);
  return call.completed(0);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  if (!controlled()) return real_wrlock(lock);
  return lock_for_writing(lock, no_deadline, __builtin_return_address(0));
}

}  // extern "C"

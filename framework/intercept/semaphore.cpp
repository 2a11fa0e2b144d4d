// POSIX semaphores, named and unnamed.
//
// Resource: the semaphore, by its place; opening and unlinking concern the name.
// Blocks: wait and the timed forms, while the real trywait says EAGAIN.
// Releases: post. A semaphore has no owner, and a death gives nothing back.
// Async-signal-safe, but for sem_open and sem_close, which libc does not make so either.
#include <fcntl.h>
#include <semaphore.h>

#include <cerrno>
#include <cstdarg>

#include "framework/execution/identity.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/intercept/made.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/slashed_name.hpp"
#include "framework/intercept/virtual_time.hpp"
#include "framework/trace/semaphore_operations.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

constinit next<decltype(::sem_init)> real_init{"sem_init"};
constinit next<decltype(::sem_destroy)> real_destroy{"sem_destroy"};
constinit next<sem_t*(const char*, int, mode_t, unsigned)> real_open{"sem_open"};
constinit next<decltype(::sem_close)> real_close{"sem_close"};
constinit next<decltype(::sem_unlink)> real_unlink{"sem_unlink"};
constinit next<decltype(::sem_wait)> real_wait{"sem_wait"};
constinit next<decltype(::sem_trywait)> real_trywait{"sem_trywait"};
constinit next<decltype(::sem_timedwait)> real_timedwait{"sem_timedwait"};
constinit next<decltype(::sem_clockwait)> real_clockwait{"sem_clockwait"};
constinit next<decltype(::sem_post)> real_post{"sem_post"};
constinit next<decltype(::sem_getvalue)> real_getvalue{"sem_getvalue"};

resource_id semaphore_at(const sem_t* semaphore) noexcept {
  return execution::resource_at(semaphore, resource_kind::semaphore);
}

resource_id semaphore_called(const char* name) noexcept {
  return execution::resource_named(slashed_name(name).view(), resource_kind::semaphore);
}

int finish(controlled_call& call, int result) noexcept {
  return result == 0 ? call.completed(0) : call.failed(errno);
}

// What is left in a semaphore that a call has taken tells whether others could have it, too.
int taken(controlled_call& call, sem_t* semaphore, std::uint64_t limited = 0) noexcept {
  int left = 0;
  return call.completed(0, limited,
                        real_getvalue(semaphore, &left) == 0 ? number_of_left(left) : 0);
}

// libc maps the semaphore from a file with a random name, which must not reach the report. The name
// is given to the object and not to its address: another process may map it elsewhere.
void remember(const sem_t* semaphore, const char* name) noexcept {
  execution::forget_mappings();
  auto& resources = execution::current_arena()->resources;
  resources.set_name(semaphore_at(semaphore), slashed_name(name).view());
}

int wait_until(sem_t* semaphore, std::uint64_t deadline, const void* site) noexcept {
  controlled_call call{operation::sem_wait, semaphore_at(semaphore), site};
  call.asks(deadline == no_deadline ? 0 : 1, 0);
  while (real_trywait(semaphore) != 0) {
    if (errno != EAGAIN) return call.failed(errno);
    const auto cause = call.block(deadline);
    if (cause == wake::timed_out) return call.failed(ETIMEDOUT);
    // With a time-out the kernel never restarts its wait.
    if (cause == wake::interrupted || (cause == wake::restarted && deadline != no_deadline))
      return call.failed(EINTR);
  }
  return taken(call, semaphore, deadline == no_deadline ? 0 : 1);
}

// glibc judges clock and time-out before it tries, also where it would not have to wait.
int timed_wait(sem_t* semaphore, clockid_t clock, const timespec* until,
               const void* site) noexcept {
  if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) || !valid(*until)) {
    controlled_call call{operation::sem_wait, semaphore_at(semaphore), site};
    return call.failed(EINVAL);
  }
  return wait_until(semaphore, deadline_at(clock, *until), site);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* until) {
  if (!controlled()) return real_clockwait(semaphore, clock, until);
  return timed_wait(semaphore, clock, until, __builtin_return_address(0));
}

int sem_close(sem_t* semaphore) noexcept {
  if (!controlled()) {
    const auto result = real_close(semaphore);
    execution::forget_mappings();
    return result;
  }
  controlled_call call{operation::sem_close, semaphore_at(semaphore), __builtin_return_address(0)};
  const auto result = real_close(semaphore);
  execution::forget_mappings();
  return finish(call, result);
}

int sem_destroy(sem_t* semaphore) noexcept {
  if (!controlled()) return real_destroy(semaphore);
  controlled_call call{operation::sem_destroy, semaphore_at(semaphore),
                       __builtin_return_address(0)};
  return finish(call, real_destroy(semaphore));
}

int sem_getvalue(sem_t* semaphore, int* value) noexcept {
  if (!controlled()) return real_getvalue(semaphore, value);
  controlled_call call{operation::sem_getvalue, semaphore_at(semaphore),
                       __builtin_return_address(0)};
  return finish(call, real_getvalue(semaphore, value));
}

int sem_init(sem_t* semaphore, int shared, unsigned value) noexcept {
  const auto result = real_init(semaphore, shared, value);
  if (!controlled()) return result;
  auto call = controlled_call::silent(operation::sem_init, semaphore_at(semaphore),
                                      __builtin_return_address(0));
  return finish(call, result);
}

sem_t* sem_open(const char* name, int flags, ...) noexcept {
  mode_t mode = 0;
  unsigned value = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    value = va_arg(rest, unsigned);
    va_end(rest);
  }
  if (!controlled()) {
    auto* semaphore = real_open(name, flags, mode, value);
    if (semaphore != SEM_FAILED && execution::current_arena() != nullptr) remember(semaphore, name);
    return semaphore;
  }
  controlled_call call{operation::sem_open, semaphore_called(name), __builtin_return_address(0)};
  call.asks(0, number_of(asked_to_make(flags, mode)));
  const auto refusal = call.refusal();
  auto* semaphore = refusal != 0 ? SEM_FAILED : real_open(name, flags, mode, value);
  if (semaphore == SEM_FAILED) {
    call.failed(refusal != 0 ? refusal : errno);
    return SEM_FAILED;
  }
  remember(semaphore, name);
  call.completed(0);
  return semaphore;
}

int sem_post(sem_t* semaphore) noexcept {
  if (!controlled()) return real_post(semaphore);
  controlled_call call{operation::sem_post, semaphore_at(semaphore), __builtin_return_address(0)};
  return finish(call, real_post(semaphore));
}

int sem_timedwait(sem_t* semaphore, const timespec* until) {
  if (!controlled()) return real_timedwait(semaphore, until);
  return timed_wait(semaphore, CLOCK_REALTIME, until, __builtin_return_address(0));
}

int sem_trywait(sem_t* semaphore) noexcept {
  if (!controlled()) return real_trywait(semaphore);
  controlled_call call{operation::sem_trywait, semaphore_at(semaphore),
                       __builtin_return_address(0)};
  return real_trywait(semaphore) == 0 ? taken(call, semaphore) : call.failed(errno);
}

int sem_unlink(const char* name) noexcept {
  if (!controlled()) return real_unlink(name);
  controlled_call call{operation::sem_unlink, semaphore_called(name), __builtin_return_address(0)};
  return finish(call, real_unlink(name));
}

int sem_wait(sem_t* semaphore) {
  if (!controlled()) return real_wait(semaphore);
  return wait_until(semaphore, no_deadline, __builtin_return_address(0));
}

}  // extern "C"

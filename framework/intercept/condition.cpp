// pthread condition variables, modelled in the arena: no non-blocking form of a wait exists.
//
// Resource: the condition, by its place. Model: none; who waits is the resource's set of waiters.
// Blocks: a wait, until it is signalled or its deadline comes; then it takes the mutex again.
// Releases: signal wakes one waiter, which the strategy chooses; broadcast wakes all.
// The real object is initialised and destroyed, but never waited on.
// Async-signal-safe: nothing is allocated, no lock but the caller's mutex is taken.
#include "framework/intercept/condition.hpp"

#include <cerrno>

#include "framework/execution/cancellation.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/intercept/mutex.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

// glibc keeps the conditions of 2002 under an older version of the same names.
constexpr const char* since = "GLIBC_2.3.2";
constinit next<decltype(::pthread_cond_init)> real_init{"pthread_cond_init", since};
constinit next<decltype(::pthread_cond_destroy)> real_destroy{"pthread_cond_destroy", since};
constinit next<decltype(::pthread_cond_wait)> real_wait{"pthread_cond_wait", since};
constinit next<decltype(::pthread_cond_timedwait)> real_timedwait{"pthread_cond_timedwait", since};
constinit next<decltype(::pthread_cond_clockwait)> real_clockwait{"pthread_cond_clockwait"};
constinit next<decltype(::pthread_cond_signal)> real_signal{"pthread_cond_signal", since};
constinit next<decltype(::pthread_cond_broadcast)> real_broadcast{"pthread_cond_broadcast", since};

resource_id condition_at(const pthread_cond_t* condition) noexcept {
  return execution::resource_at(condition, resource_kind::condition);
}

// The clock of pthread_condattr_setclock: glibc keeps it in the second bit of the waiters' word.
clockid_t clock_of(const pthread_cond_t* condition) noexcept {
  return (condition->__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

int timed_wait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
               const timespec* until, const void* site) noexcept {
  if (!valid(*until) || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)) return EINVAL;
  return wait_for_condition(condition, mutex, deadline_at(clock, *until), site);
}

// A handler of a signal does not end the wait, and while it runs the task still counts as one that
// waits and can be woken.
task_id disturbed_waiter(resource_id condition) noexcept {
  const auto& a = *execution::current_arena();
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (a.details[i].disturbed_at == condition && a.tasks[i].state == execution::task_state::ready)
      return task_id(i);
  return no_task;
}

void wake_disturbed(task_id waiter) noexcept {
  execution::current_arena()->details[index(waiter)].disturbed_at = no_resource;
}

// False if the deadline came first.
bool woken_before(controlled_call& call, resource_id condition, std::uint64_t deadline) noexcept {
  const auto& disturbed_at =
      execution::current_arena()->details[index(execution::self())].disturbed_at;
  do {
    if (call.block_on({&condition, 1}, deadline, false) == wake::timed_out) return false;
  } while (disturbed_at == condition);
  return true;
}

}  // namespace

// Unlocks, sleeps and locks again. Unlocking and going to sleep are one step, as POSIX demands:
// nothing can be signalled in between.
int wait_for_condition(pthread_cond_t* condition, pthread_mutex_t* mutex, std::uint64_t deadline_ns,
                       const void* site) noexcept {
  const auto resource = condition_at(condition);
  controlled_call call{operation::cond_wait, resource, site};
  call.involve(resource_of(mutex));
  if (const auto error = unlock_within(mutex); error != 0) return call.failed_with(error);
  const bool late = !woken_before(call, resource, deadline_ns);
  const auto locked = lock_within(call, mutex, no_deadline);
  // With the mutex, as the clean-up handlers expect.
  if (execution::cancellation_pending(execution::self()))
    execution::heed_cancellation(operation::cond_wait);
  return call.completed_without_waking(locked != 0 ? locked : late ? ETIMEDOUT : 0);
}

int signal_condition(pthread_cond_t* condition, const void* site) noexcept {
  controlled_call call{operation::cond_signal, condition_at(condition), site};
  auto& a = *execution::current_arena();
  const auto& waiters = a.resources[call.resource()].waiters;
  if (const auto count = waiters.size(); count > 0)
    execution::set_enabled(a, waiters.nth(execution::draw(count)), wake::retry);
  else if (const auto task = disturbed_waiter(call.resource()); task != no_task)
    wake_disturbed(task);
  return call.completed_without_waking(0);
}

int broadcast_condition(pthread_cond_t* condition, const void* site) noexcept {
  controlled_call call{operation::cond_broadcast, condition_at(condition), site};
  const auto woken = call.resource();
  for (auto task = disturbed_waiter(woken); task != no_task; task = disturbed_waiter(woken))
    wake_disturbed(task);
  return call.completed(0);  // completing wakes every waiter
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  if (!controlled()) return real_broadcast(condition);
  return broadcast_condition(condition, __builtin_return_address(0));
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  if (!controlled()) return real_clockwait(condition, mutex, clock, until);
  return timed_wait(condition, mutex, clock, until, __builtin_return_address(0));
}

int pthread_cond_destroy(pthread_cond_t* condition) noexcept {
  if (!controlled()) return real_destroy(condition);
  auto call = controlled_call::silent(operation::cond_destroy, condition_at(condition),
                                      __builtin_return_address(0));
  return call.completed_without_waking(real_destroy(condition));
}

int pthread_cond_init(pthread_cond_t* condition, const pthread_condattr_t* attributes) noexcept {
  const auto result = real_init(condition, attributes);
  if (!controlled()) return result;
  auto call = controlled_call::silent(operation::cond_init, condition_at(condition),
                                      __builtin_return_address(0));
  return result == 0 ? call.completed(0) : call.failed_with(result);
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  if (!controlled()) return real_signal(condition);
  return signal_condition(condition, __builtin_return_address(0));
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  if (!controlled()) return real_timedwait(condition, mutex, until);
  return timed_wait(condition, mutex, clock_of(condition), until, __builtin_return_address(0));
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (!controlled()) return real_wait(condition, mutex);
  return wait_for_condition(condition, mutex, no_deadline, __builtin_return_address(0));
}

}  // extern "C"

// C11's threads, mutexes, conditions and once flags. In glibc they are pthreads by another name,
// but call them by names that cannot be intercepted; so here they are made of the families
// themselves.
//
// Resource, blocks, releases: as in thread.cpp, mutex.cpp, condition.cpp and once.cpp.
// thrd_current, thrd_equal, thrd_exit and tss_* do nothing that another task could notice.
#include <threads.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/intercept/condition.hpp"
#include "framework/intercept/mutex.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/once.hpp"
#include "framework/intercept/thread.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

constinit next<decltype(::call_once)> real_call_once{"call_once"};
constinit next<decltype(::cnd_broadcast)> real_cnd_broadcast{"cnd_broadcast"};
constinit next<decltype(::cnd_destroy)> real_cnd_destroy{"cnd_destroy"};
constinit next<decltype(::cnd_init)> real_cnd_init{"cnd_init"};
constinit next<decltype(::cnd_signal)> real_cnd_signal{"cnd_signal"};
constinit next<decltype(::cnd_timedwait)> real_cnd_timedwait{"cnd_timedwait"};
constinit next<decltype(::cnd_wait)> real_cnd_wait{"cnd_wait"};
constinit next<decltype(::mtx_destroy)> real_mtx_destroy{"mtx_destroy"};
constinit next<decltype(::mtx_init)> real_mtx_init{"mtx_init"};
constinit next<decltype(::mtx_lock)> real_mtx_lock{"mtx_lock"};
constinit next<decltype(::mtx_timedlock)> real_mtx_timedlock{"mtx_timedlock"};
constinit next<decltype(::mtx_trylock)> real_mtx_trylock{"mtx_trylock"};
constinit next<decltype(::mtx_unlock)> real_mtx_unlock{"mtx_unlock"};
constinit next<decltype(::thrd_create)> real_thrd_create{"thrd_create"};
constinit next<decltype(::thrd_detach)> real_thrd_detach{"thrd_detach"};
constinit next<decltype(::thrd_join)> real_thrd_join{"thrd_join"};
constinit next<decltype(::thrd_sleep)> real_thrd_sleep{"thrd_sleep"};
constinit next<decltype(::thrd_yield)> real_thrd_yield{"thrd_yield"};

pthread_cond_t* as_pthread(cnd_t* condition) noexcept {
  return reinterpret_cast<pthread_cond_t*>(condition);  // NOLINT: glibc lays out both alike
}

pthread_mutex_t* as_pthread(mtx_t* mutex) noexcept {
  return reinterpret_cast<pthread_mutex_t*>(mutex);  // NOLINT: glibc lays out both alike
}

pthread_once_t* as_pthread(once_flag* flag) noexcept {
  return reinterpret_cast<pthread_once_t*>(flag);  // NOLINT: glibc lays out both alike
}

// The C11 result for an error number of pthreads.
int result_of(int error) noexcept {
  switch (error) {
    case 0:
      return thrd_success;
    case ENOMEM:
      return thrd_nomem;
    case ETIMEDOUT:
      return thrd_timedout;
    case EBUSY:
      return thrd_busy;
    default:
      return thrd_error;
  }
}

int lock(operation op, mtx_t* mutex, std::uint64_t deadline, const void* site) noexcept {
  controlled_call call{op, resource_of(as_pthread(mutex)), site};
  const auto error = lock_within(call, as_pthread(mutex), deadline);
  return error == 0 ? call.completed(0) : call.failed_with(error);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

void call_once(once_flag* flag, void (*routine)()) {
  if (!controlled()) return real_call_once(flag, routine);
  forkloom::intercept::call_once(as_pthread(flag), routine, __builtin_return_address(0));
}

int cnd_broadcast(cnd_t* condition) {
  if (!controlled()) return real_cnd_broadcast(condition);
  return result_of(broadcast_condition(as_pthread(condition), __builtin_return_address(0)));
}

void cnd_destroy(cnd_t* condition) {
  real_cnd_destroy(condition);
  if (!controlled()) return;
  const auto resource = execution::resource_at(condition, resource_kind::condition);
  controlled_call::silent(operation::cond_destroy, resource, __builtin_return_address(0))
      .completed_without_waking(0);
}

int cnd_init(cnd_t* condition) {
  const auto result = real_cnd_init(condition);
  if (!controlled()) return result;
  const auto resource = execution::resource_at(condition, resource_kind::condition);
  return controlled_call::silent(operation::cond_init, resource, __builtin_return_address(0))
      .completed(result);
}

int cnd_signal(cnd_t* condition) {
  if (!controlled()) return real_cnd_signal(condition);
  return result_of(signal_condition(as_pthread(condition), __builtin_return_address(0)));
}

int cnd_timedwait(cnd_t* __restrict condition, mtx_t* __restrict mutex,
                  const timespec* __restrict until) {
  if (!controlled()) return real_cnd_timedwait(condition, mutex, until);
  if (!valid(*until)) return thrd_error;
  return result_of(wait_for_condition(as_pthread(condition), as_pthread(mutex),
                                      deadline_at(CLOCK_REALTIME, *until),
                                      __builtin_return_address(0)));
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  if (!controlled()) return real_cnd_wait(condition, mutex);
  return result_of(wait_for_condition(as_pthread(condition), as_pthread(mutex), no_deadline,
                                      __builtin_return_address(0)));
}

void mtx_destroy(mtx_t* mutex) {
  if (!controlled()) return real_mtx_destroy(mutex);
  controlled_call call{operation::mutex_destroy, resource_of(as_pthread(mutex)),
                       __builtin_return_address(0)};
  real_mtx_destroy(mutex);
  call.completed(0);
}

int mtx_init(mtx_t* mutex, int type) {
  const auto result = real_mtx_init(mutex, type);
  if (!controlled() || result != thrd_success) return result;
  auto call = controlled_call::silent(operation::mutex_init, resource_of(as_pthread(mutex)),
                                      __builtin_return_address(0));
  execution::set_owner(call.resource(), no_task);
  return call.completed(result);
}

int mtx_lock(mtx_t* mutex) {
  if (!controlled()) return real_mtx_lock(mutex);
  return result_of(lock(operation::mutex_lock, mutex, no_deadline, __builtin_return_address(0)));
}

int mtx_timedlock(mtx_t* __restrict mutex, const timespec* __restrict until) {
  if (!controlled()) return real_mtx_timedlock(mutex, until);
  const auto deadline = valid(*until) ? deadline_at(CLOCK_REALTIME, *until) : 0;
  const auto error = lock(operation::mutex_lock, mutex, deadline, __builtin_return_address(0));
  return error == ETIMEDOUT && !valid(*until) ? thrd_error : result_of(error);
}

int mtx_trylock(mtx_t* mutex) {
  if (!controlled()) return real_mtx_trylock(mutex);
  const auto error = lock(operation::mutex_trylock, mutex, 0, __builtin_return_address(0));
  return error == ETIMEDOUT ? thrd_busy : result_of(error);
}

int mtx_unlock(mtx_t* mutex) {
  if (!controlled()) return real_mtx_unlock(mutex);
  controlled_call call{operation::mutex_unlock, resource_of(as_pthread(mutex)),
                       __builtin_return_address(0)};
  const auto error = unlock_within(as_pthread(mutex));
  return result_of(error == 0 ? call.completed(0) : call.failed_with(error));
}

int thrd_create(thrd_t* thread, thrd_start_t routine, void* argument) {
  if (!controlled()) return real_thrd_create(thread, routine, argument);
  const thread_start start{reinterpret_cast<std::uintptr_t>(routine), argument, true};  // NOLINT
  return result_of(create_thread(thread, nullptr, start, __builtin_return_address(0)));
}

int thrd_detach(thrd_t thread) {
  if (!controlled()) return real_thrd_detach(thread);
  return result_of(detach_thread(thread, __builtin_return_address(0)));
}

int thrd_join(thrd_t thread, int* result) {
  if (!controlled()) return real_thrd_join(thread, result);
  void* value = nullptr;
  const auto error = join_thread(thread, &value, no_deadline, __builtin_return_address(0));
  if (error == 0 && result != nullptr)
    *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));  // NOLINT: as glibc does
  return result_of(error);
}

int thrd_sleep(const timespec* duration, timespec* remaining) {
  if (!controlled()) return real_thrd_sleep(duration, remaining);
  controlled_call call{operation::sleep, no_resource, __builtin_return_address(0)};
  if (!valid(*duration) || duration->tv_sec < 0) {
    call.failed_with(EINVAL);
    return -2;  // as glibc: the errors but EINTR
  }
  const auto deadline = deadline_after(*duration);
  for (;;) {
    const auto cause = call.block_on({}, deadline, false);
    if (cause == wake::timed_out) return call.completed(0);
    if (cause != wake::retry) break;
  }
  const auto now = execution::now_ns();
  const auto left = deadline > now ? deadline - now : 0;
  if (remaining != nullptr)
    *remaining = {.tv_sec = static_cast<time_t>(left / ns_per_s),
                  .tv_nsec = static_cast<long>(left % ns_per_s)};
  return call.failed(EINTR);
}

void thrd_yield() {
  if (!controlled()) return real_thrd_yield();
  controlled_call call{operation::yield, no_resource, __builtin_return_address(0)};
  call.completed(0);
}

}  // extern "C"

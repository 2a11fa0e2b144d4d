// pthread_cancel: a thread ends another one of its process.
//
// Resource: the thread that is to end. Model: that a cancellation is pending, which is the business
// of one process.
// Blocks: nothing.
// Releases: a target that waits in a cancellation point; it goes on, and ends.
// Deferred cancellation acts at the target's next cancellation point that is under control; an
// asynchronous one at its next scheduling point of any kind. Whether it is enabled, libc knows.
#include <pthread.h>

#include "framework/execution/cancellation.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/task_set.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/thread.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::pthread_cancel)> real_cancel{"pthread_cancel"};
constinit next<decltype(::pthread_testcancel)> real_testcancel{"pthread_testcancel"};
constinit next<decltype(::pthread_setcanceltype)> real_setcanceltype{"pthread_setcanceltype"};

// Of this process, as libc's own notes of it are: a fork takes them along and has no use for them.
constinit execution::task_set pending;

bool is_asynchronous() noexcept {
  int type = PTHREAD_CANCEL_DEFERRED;
  real_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
  if (type != PTHREAD_CANCEL_ASYNCHRONOUS) return false;
  // Setting it may act on it, and that must unwind.
  real_setcanceltype.get()(type, nullptr);
  return true;
}

int cancel(pthread_t handle, const void* site) noexcept {
  const auto target = thread_of_handle(handle);
  if (target == no_task) return real_cancel(handle);
  auto& a = *execution::current_arena();
  controlled_call call{operation::thread_cancel, execution::thread_resource(a, target), site};
  auto& t = a[target];
  if (t.state == execution::task_state::dead) return call.completed_unchanged(0);
  pending.insert(target);
  const bool waits = t.state == execution::task_state::blocked;
  if (waits && execution::is_cancellation_point(t.pending))
    execution::set_enabled(a, target, execution::wake::retry);
  return call.completed_without_waking(0);
}

}  // namespace
}  // namespace forkloom::intercept

namespace forkloom::execution {

bool is_cancellation_point(operation op) noexcept {
  switch (op) {
    case operation::open:
    case operation::read:
    case operation::write:
    case operation::close:
    case operation::poll:
    case operation::select:
    case operation::epoll_wait:
    case operation::sem_wait:
    case operation::cond_wait:
    case operation::thread_join:
    case operation::sleep:
    case operation::wait_child:
    case operation::accept:
    case operation::connect:
    case operation::send:
    case operation::receive:
    case operation::mq_send:
    case operation::mq_receive:
    case operation::msgsnd:
    case operation::msgrcv:
    case operation::record_lock:
    case operation::signal_wait:
      return true;
    default:
      return false;
  }
}

bool cancellation_pending(task_id task) noexcept { return intercept::pending.contains(task); }

// If cancellation is disabled, it stays pending in both, and this is only done again in vain.
void heed_cancellation(operation op) {
  if (!is_cancellation_point(op) && !intercept::is_asynchronous()) return;
  intercept::real_cancel.get()(pthread_self());
  intercept::real_testcancel.get()();
}

}  // namespace forkloom::execution

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_cancel(pthread_t thread) {
  if (!controlled()) return real_cancel(thread);
  return cancel(thread, __builtin_return_address(0));
}

// A loop around it may wait for nothing but the cancellation: it lets others go on.
void pthread_testcancel() {
  if (!controlled()) return real_testcancel.get()();
  controlled_call call{operation::yield, no_resource, __builtin_return_address(0)};
  call.completed(0);
  if (execution::cancellation_pending(execution::self()))
    execution::heed_cancellation(operation::sleep);
}

}  // extern "C"

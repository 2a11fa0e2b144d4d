// Could it matter which of two pending operations goes first? The rule of the trace (two operations
// commute unless they touch the same resource and one of them changes it) cannot be asked before
// they are done: what a call touches besides its resource shows only then. So this errs on the side
// of yes, by kinds of resources and operations.
#pragma once

#include "framework/strategy/choice.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom::strategy {

// Operations that touch nothing that another task could notice.
[[nodiscard]] constexpr bool touches_nothing(operation op) noexcept {
  return op == operation::none || op == operation::start || op == operation::yield ||
         op == operation::fence;
}

// Operations that are about time, which every step moves on; about signals, which may act on any
// step of their receiver; about programs and names as such; or about many descriptors at once. In
// which order they and any other step come may always matter.
[[nodiscard]] constexpr bool touches_everything(operation op) noexcept {
  switch (op) {
    case operation::sleep:
    case operation::clock_read:
    case operation::timer:
    case operation::timer_set:
    case operation::timerfd:
    case operation::kill:
    case operation::signal_send:
    case operation::signal_deliver:
    case operation::signal_wait:
    case operation::signal_action:
    case operation::signal_mask:
    case operation::exec:
    case operation::rename:
    case operation::thread_cancel:
    case operation::mq_notify:
    case operation::poll:
    case operation::select:
    case operation::epoll_wait:
    case operation::epoll_control:
      return true;
    default:
      return false;
  }
}

// The kernel may change such a resource when a process that has it ends.
[[nodiscard]] constexpr bool changes_by_death(resource_kind kind) noexcept {
  switch (kind) {
    case resource_kind::memory:
    case resource_kind::semaphore:
    case resource_kind::condition:
    case resource_kind::barrier:
    case resource_kind::logical:
    case resource_kind::message_queue:
    case resource_kind::system_v_queue:
    case resource_kind::system_v_key:
    case resource_kind::directory_entry:
    case resource_kind::shared_memory:
    case resource_kind::once:
      return false;
    default:
      return true;
  }
}

[[nodiscard]] constexpr bool ends_task(operation op) noexcept {
  return op == operation::exit || op == operation::thread_exit;
}

// A wait at a condition variable takes its mutex again, which it does not announce.
[[nodiscard]] constexpr bool concerns_condition_or_mutex(const pending_operation& p) noexcept {
  return p.kind == resource_kind::condition || p.kind == resource_kind::mutex;
}

// Of two ends: is it the same wait that they let go on?
[[nodiscard]] constexpr bool is_awaited_with(const pending_operation& x,
                                             const pending_operation& y) noexcept {
  return x.resource != no_resource && x.resource == y.resource;
}

// Of two ends: is one a child of the other? A parent may leave it dead and not waited for, or
// alive.
[[nodiscard]] constexpr bool are_kin(const pending_operation& x,
                                     const pending_operation& y) noexcept {
  return (x.children != no_resource && x.children == y.resource) ||
         (y.children != no_resource && y.children == x.resource);
}

// A fork copies what the other threads of its process have done to locks, memory, descriptors.
[[nodiscard]] constexpr bool is_fork_beside(const pending_operation& x,
                                            const pending_operation& y) noexcept {
  return x.op == operation::fork && x.process != no_task && x.process == y.process;
}

[[nodiscard]] inline bool may_conflict(const pending_operation& x,
                                       const pending_operation& y) noexcept {
  if (x.expired || y.expired || touches_everything(x.op) || touches_everything(y.op)) return true;
  if (touches_nothing(x.op) || touches_nothing(y.op)) return false;
  if (is_fork_beside(x, y) || is_fork_beside(y, x)) return true;
  if (ends_task(x.op) && ends_task(y.op)) return is_awaited_with(x, y) || are_kin(x, y);
  if (ends_task(x.op) || ends_task(y.op))
    return changes_by_death(ends_task(x.op) ? y.kind : x.kind);
  if (x.op == operation::cond_wait && concerns_condition_or_mutex(y)) return true;
  if (y.op == operation::cond_wait && concerns_condition_or_mutex(x)) return true;
  if (x.resource == no_resource || y.resource == no_resource)
    return x.resource == no_resource ? traits(x.op).changes : traits(y.op).changes;
  if (x.kind != y.kind) return x.kind == resource_kind::futex || y.kind == resource_kind::futex;
  if (x.kind == resource_kind::record_lock) return true;
  return x.resource == y.resource && (traits(x.op).changes || traits(y.op).changes);
}

// An attempt of such a call that would have to wait leaves everything as it was: as a step it is no
// more than a look at whether the task is enabled. Not so where others notice who waits (condition
// variables, barriers, futexes, writers of read-write locks, record locks) or where a part may have
// been done (writes).
[[nodiscard]] constexpr bool waits_unnoticed(operation op, resource_kind kind) noexcept {
  switch (op) {
    case operation::mutex_lock:
    case operation::spin_lock:
    case operation::sem_wait:
    case operation::rwlock_rdlock:
    case operation::flock:
    case operation::mq_send:
    case operation::mq_receive:
    case operation::msgsnd:
    case operation::msgrcv:
    case operation::semop:
    case operation::receive:
    case operation::accept:
    case operation::wait_child:
    case operation::thread_join:
      return true;
    case operation::read:
      return kind == resource_kind::pipe || kind == resource_kind::fifo ||
             kind == resource_kind::event_source;
    case operation::cond_wait:  // it has been woken, and wants the mutex
      return kind == resource_kind::mutex;
    default:
      return false;
  }
}

}  // namespace forkloom::strategy

// Waiting for many descriptors that the kernel keeps a list of: epoll.
//
// Resource: the epoll, whatever descriptors it is reached by (execution/event_source.hpp); the
// second one is what a descriptor in its list stands for.
// Blocks: a wait, while the real one with no time-out finds nothing ready; on everything in the
// list, lists in the list included, and on the list itself.
// Releases: whatever changes one of these (level and edge triggers are the kernel's), epoll_ctl,
// and the death of anybody. What is not scheduled is watched, as by poll.
//
// The list is kept in the arena as well as in the kernel (epoll_list.hpp). /proc shows the
// kernel's, but only by the descriptor numbers of whoever added them, and all eventfds, timerfds
// and epolls by one inode. Async-signal-safe: nothing is allocated, no lock is taken.
#include <sys/epoll.h>

#include <cerrno>

#include "framework/execution/event_source.hpp"
#include "framework/intercept/awaited.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/epoll_list.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/readable.hpp"
#include "framework/intercept/signal_set.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::epoll_interest;

constinit next<decltype(::epoll_create)> real_create{"epoll_create"};
constinit next<decltype(::epoll_create1)> real_create1{"epoll_create1"};
constinit next<decltype(::epoll_ctl)> real_ctl{"epoll_ctl"};
constinit next<decltype(::epoll_wait)> real_wait{"epoll_wait"};
constinit next<decltype(::epoll_pwait)> real_pwait{"epoll_pwait"};
constinit next<decltype(::epoll_pwait2)> real_pwait2{"epoll_pwait2"};
constinit next<decltype(::ppoll)> real_ppoll{"ppoll"};

int made(int fd, const void* site) noexcept {
  const auto error = errno;
  if (execution::current_arena() == nullptr) return fd;
  const auto source =
      fd < 0 ? no_resource : execution::new_event_source(execution::event_source::epoll, fd);
  if (!controlled()) return fd;
  auto call = controlled_call::silent(operation::epoll_create, source, site);
  return ended(call, fd, error);
}

// What a descriptor in the list stands for; no_resource if that is not scheduled.
resource_id target_of(int fd) noexcept {
  if (execution::sort_of(fd) == execution::event_source::epoll)
    return execution::event_source_of(fd);
  awaited one;
  one.add(fd, {.reads = true, .writes = true});
  return one.first();
}

int control(int epoll, int operation, int fd, epoll_event* event, resource_id list,
            resource_id target) noexcept {
  if (real_ctl(epoll, operation, fd, event) != 0) return -1;
  epoll_interest what{.epoll = list, .target = target, .descriptor = fd};
  if (event != nullptr && operation != EPOLL_CTL_DEL) {
    what.events = event->events;
    what.data = event->data.u64;
  }
  if (list == no_resource) return 0;
  operation == EPOLL_CTL_DEL ? forget_interest(what) : note_interest(epoll, what);
  return 0;
}

awaited look_at(int epoll, resource_id list) noexcept {
  forget_closed_interests(epoll, list);
  awaited all;
  all.add(epoll, {.reads = true, .writes = false});
  return all;
}

// attempt: the real call with a time-out of zero.
template <class Attempt>
int wait_for(int epoll, const epoll_event* events, std::uint64_t deadline, const sigset_t* mask,
             const void* site, Attempt attempt) noexcept {
  controlled_call call{operation::epoll_wait, resource_of(epoll), site};
  // One that does not wait looks at no signals.
  if (deadline > execution::now_ns() && !take_mask(call, mask)) return call.failed(EFAULT);
  const auto result = wait_until_ready(
      call, deadline, [&] { return look_at(epoll, call.resource()); }, attempt);
  const auto error = errno;
  if (result > 0) call.involve(target_with(call.resource(), events->data.u64));
  return ended(call, result, error);
}

int wait_masked(int epoll, epoll_event* events, int count, std::uint64_t deadline,
                const sigset_t* mask, const void* site) noexcept {
  return wait_for(epoll, events, deadline, mask, site,
                  [&] { return real_pwait(epoll, events, count, 0, nullptr); });
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int epoll_create(int size) noexcept {
  if (execution::refused(operation::epoll_create, __builtin_return_address(0))) return -1;
  return made(real_create(size), __builtin_return_address(0));
}

int epoll_create1(int flags) noexcept {
  if (execution::refused(operation::epoll_create, __builtin_return_address(0))) return -1;
  return made(real_create1(flags), __builtin_return_address(0));
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (!controlled()) {
    const auto list =
        execution::current_arena() == nullptr ? no_resource : execution::known_event_source(epoll);
    if (list == no_resource) return real_ctl(epoll, operation, fd, event);
    return control(epoll, operation, fd, event, list, target_of(fd));
  }
  const auto list = execution::event_source_of(epoll);
  const auto target = target_of(fd);
  controlled_call call{forkloom::operation::epoll_control, list, __builtin_return_address(0)};
  call.involve(target);
  call.asks(static_cast<std::uint64_t>(operation), static_cast<std::uint64_t>(fd));
  if (operation == EPOLL_CTL_ADD)
    if (const auto error = call.refusal(); error != 0) return call.failed(error);
  if (control(epoll, operation, fd, event, list, target) != 0) return call.failed(errno);
  return call.completed(0);
}

int epoll_pwait(int epoll, epoll_event* events, int count, int timeout, const sigset_t* mask) {
  if (!controlled()) return real_pwait(epoll, events, count, timeout, mask);
  return wait_masked(epoll, events, count, deadline_in(timeout), mask, __builtin_return_address(0));
}

int epoll_pwait2(int epoll, epoll_event* events, int count, const timespec* timeout,
                 const sigset_t* mask) {
  if (!controlled() || (timeout != nullptr && (timeout->tv_sec < 0 || !valid(*timeout))))
    return real_pwait2(epoll, events, count, timeout, mask);
  return wait_masked(epoll, events, count, deadline_in(timeout), mask, __builtin_return_address(0));
}

int epoll_wait(int epoll, epoll_event* events, int count, int timeout) {
  if (!controlled()) return real_wait(epoll, events, count, timeout);
  return wait_for(epoll, events, deadline_in(timeout), nullptr, __builtin_return_address(0),
                  [&] { return real_wait(epoll, events, count, 0); });
}

}  // extern "C"

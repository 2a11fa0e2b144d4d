// POSIX message queues.
//
// Resource: the queue, by its inode, whatever descriptors it is reached by; opening and unlinking
// concern its name.
// Blocks: a receive while the queue is empty, a send while it is full, through a descriptor that
// was not O_NONBLOCK when the call began: the kernel looks at the flag only then.
// Releases: every message sent or received. No close and no death: a queue has no ends, as anybody
// who knows its name may still come.
// Events: the open has before = 1 if it made the queue, after as framework/trace/making.hpp says,
// and the queue as its second resource; a close, before = the descriptor; a send, before = the size
// and after = the priority; a receive, before = the room in its buffer and after = the priority.
//
// The attempt is a timed call whose time is long past: it says ETIMEDOUT exactly where a call
// without a time-out would wait, and no flag of the shared open file description is touched.
// Who waits here does not wait in the kernel. So which of several waiters gets a message is the
// strategy's choice. Being told of messages has a file of its own (message_notice.cpp).
// Async-signal-safe: nothing is allocated, no lock is taken.
#include "framework/intercept/message_queue.hpp"

#include <fcntl.h>
#include <mqueue.h>

#include <cerrno>
#include <cstdarg>
#include <string_view>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/instrumented.hpp"
#include "framework/intercept/made.hpp"
#include "framework/intercept/message_notice.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

// The x86-64 ABI passes an argument behind an ellipsis like any other, so the call may be a plain
// one.
constinit next<mqd_t(const char*, int, mode_t, mq_attr*)> real_open{"mq_open"};
constinit next<mqd_t(const char*, int)> real_open_2{"__mq_open_2"};
constinit next<decltype(::mq_close)> real_close{"mq_close"};
constinit next<decltype(::mq_unlink)> real_unlink{"mq_unlink"};
constinit next<decltype(::mq_send)> real_send{"mq_send"};
constinit next<decltype(::mq_timedsend)> real_timedsend{"mq_timedsend"};
constinit next<decltype(::mq_receive)> real_receive{"mq_receive"};
constinit next<decltype(::mq_timedreceive)> real_timedreceive{"mq_timedreceive"};
constinit next<decltype(::mq_getattr)> real_getattr{"mq_getattr"};
constinit next<decltype(::mq_setattr)> real_setattr{"mq_setattr"};

resource_id queue_called(const char* name) noexcept {
  return execution::resource_named(name, resource_kind::message_queue);
}

// Was it made without attributes? How much it holds is then up to the system (mq_overview(7),
// msg_default), and nobody can know.
std::uint64_t& of_unknown_size(resource_id queue) noexcept {
  return execution::current_arena()->resources[queue].model[3];
}

// A time that is no time is refused by the kernel before it looks at the queue.
bool refused(const timespec* until) noexcept {
  return until != nullptr && (until->tv_sec < 0 || !valid(*until));
}

// The time-out of an attempt: the kernel does not sleep until the beginning of its clock.
constexpr timespec long_past{};

const timespec& patience_of_attempt(const timespec* until) noexcept {
  return refused(until) ? *until : long_past;
}

std::uint64_t deadline_of(const timespec* until) noexcept {
  if (until == nullptr || refused(until)) return no_deadline;
  return deadline_at(CLOCK_REALTIME, *until);
}

// The real call, tried until it has nothing to wait for. EAGAIN is for the caller only at first:
// another task may have made the descriptor O_NONBLOCK while this one waited.
template <class Attempt>
auto try_until(controlled_call& call, std::uint64_t deadline, Attempt attempt) noexcept {
  for (bool waited = false;; waited = true) {
    const auto result = attempt();
    if (result >= 0) return result;
    if (errno != ETIMEDOUT && (errno != EAGAIN || !waited)) return result;
    const auto cause = call.block(deadline);
    if (cause == wake::timed_out || cause == wake::interrupted) {
      errno = cause == wake::timed_out ? ETIMEDOUT : EINTR;
      return result;
    }
  }
}

long messages_in(mqd_t queue) noexcept {
  mq_attr now{};
  return real_getattr(queue, &now) == 0 ? now.mq_curmsgs : 0;
}

bool never_waits(mqd_t queue) noexcept {
  mq_attr now{};
  return real_getattr(queue, &now) == 0 && (now.mq_flags & O_NONBLOCK) != 0;
}

// A queue that has messages in it, and may be of any size, may be full: until one is taken out. 0
// then, or why the call ends.
int wait_as_if_full(controlled_call& call, mqd_t queue, std::uint64_t deadline) noexcept {
  if (!controlled_call::possible(fault_kind::full)) return 0;
  const auto before = messages_in(queue);
  if (before == 0 || of_unknown_size(call.resource()) == 0 || !call.finds_no_room()) return 0;
  if (never_waits(queue)) return EAGAIN;
  while (messages_in(queue) >= before) {
    const auto cause = call.block(deadline);
    if (cause == wake::timed_out) return ETIMEDOUT;
    if (cause == wake::interrupted) return EINTR;
  }
  return 0;
}

int send(mqd_t queue, const char* message, std::size_t size, unsigned priority,
         const timespec* until, const void* site) noexcept {
  controlled_call call{operation::mq_send, resource_of(queue), site};
  if (!refused(until))
    if (const auto error = wait_as_if_full(call, queue, deadline_of(until)); error != 0)
      return call.failed(error);
  const auto result = try_until(call, deadline_of(until), [&] {
    return real_timedsend(queue, message, size, priority, &patience_of_attempt(until));
  });
  if (result != 0) return call.failed(errno);
  tell_buffer_access(operation::load, message, static_cast<std::int64_t>(size), site);
  message_came(call.resource(), queue, site);
  return call.completed(0, size, priority);
}

ssize_t receive(mqd_t queue, char* message, std::size_t size, unsigned* priority,
                const timespec* until, const void* site) noexcept {
  controlled_call call{operation::mq_receive, resource_of(queue), site};
  call.asks(size, 0);
  unsigned got = 0;
  const auto result = try_until(call, deadline_of(until), [&] {
    return real_timedreceive(queue, message, size, &got, &patience_of_attempt(until));
  });
  if (result < 0) return call.failed(errno);
  call.completed(result, size, got);
  tell_buffer_access(operation::store, message, result, site);
  if (priority == nullptr) return result;
  *priority = got;
  tell_buffer_access(operation::store, priority, sizeof got, site);
  return result;
}

struct opened {
  mqd_t queue;
  bool made;
};

// O_CREAT alone does not tell who made the queue. With O_EXCL first it does, and that attempt
// leaves no trace: nobody runs before the next one.
opened open_or_make(const char* name, int flags, mode_t mode, mq_attr* attributes) noexcept {
  const bool may_make = (flags & O_CREAT) != 0;
  const auto made = real_open(name, may_make ? flags | O_EXCL : flags, mode, attributes);
  if (made >= 0 || errno != EEXIST) return {made, made >= 0 && may_make};
  return {real_open(name, flags, mode, attributes), false};
}

void remember(mqd_t queue, const char* name) noexcept {
  execution::name_descriptor(queue, resource_kind::message_queue, name);
}

mqd_t open_queue(const char* name, int flags, mode_t mode, mq_attr* attributes,
                 const void* site) noexcept {
  if (!controlled()) {
    const auto queue = real_open(name, flags, mode, attributes);
    if (queue < 0 || execution::current_arena() == nullptr) return queue;
    // The name comes before the queue here, too: what is left behind is looked up by its name.
    static_cast<void>(queue_called(name));
    remember(queue, name);
    of_unknown_size(resource_of(queue)) = (flags & O_CREAT) != 0 && attributes == nullptr ? 1 : 0;
    return queue;
  }
  controlled_call call{operation::mq_open, queue_called(name), site};
  const auto packed = number_of(asked_to_make(flags, mode));
  call.asks(0, packed);
  const auto never = (flags & O_CREAT) != 0 ? 0 : only(fault_kind::enospc);
  if (const auto error = call.refusal(never); error != 0) return call.failed(error);
  const auto [queue, made] = open_or_make(name, flags, mode, attributes);
  if (queue < 0) return call.failed(errno);
  remember(queue, name);
  if (made) of_unknown_size(resource_of(queue)) = attributes == nullptr ? 1 : 0;
  call.involve(resource_of(queue));
  return call.completed(queue, made ? 1 : 0, packed);
}

}  // namespace

// Who closes one descriptor of the queue is no longer notified, even if it has others.
int close_message_queue(int queue, operation as, const void* site) noexcept {
  controlled_call call{as, resource_of(queue), site};
  if (real_close(queue) != 0) return call.failed(errno);
  ++execution::current_arena()->close_count;
  forgo_notice(call.resource());
  return call.completed_without_waking(0, static_cast<std::uint64_t>(queue));
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// What mq_open() is when its caller was built with _FORTIFY_SOURCE and gave no mode.
mqd_t __mq_open_2(const char* name, int flags);  // NOLINT

mqd_t __mq_open_2(const char* name, int flags) {                // NOLINT
  if ((flags & O_CREAT) != 0) return real_open_2(name, flags);  // it ends the program
  return open_queue(name, flags, 0, nullptr, __builtin_return_address(0));
}

int mq_close(mqd_t queue) noexcept {
  if (!controlled()) return real_close(queue);
  const auto* site = __builtin_return_address(0);
  if (is_message_queue(queue)) return close_message_queue(queue, operation::mq_close, site);
  return close_descriptor(queue, site);  // the kernel does not mind what it closes, either
}

int mq_getattr(mqd_t queue, mq_attr* attributes) noexcept {
  if (!controlled()) return real_getattr(queue, attributes);
  controlled_call call{operation::mq_attributes, resource_of(queue), __builtin_return_address(0)};
  if (real_getattr(queue, attributes) != 0) return call.failed(errno);
  return call.completed_unchanged(0);
}

mqd_t mq_open(const char* name, int flags, ...) {  // NOLINT
  mode_t mode = 0;
  mq_attr* attributes = nullptr;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    attributes = va_arg(rest, mq_attr*);
    va_end(rest);
  }
  return open_queue(name, flags, mode, attributes, __builtin_return_address(0));
}

ssize_t mq_receive(mqd_t queue, char* message, std::size_t size, unsigned* priority) {
  if (!controlled()) return real_receive(queue, message, size, priority);
  return receive(queue, message, size, priority, nullptr, __builtin_return_address(0));
}

int mq_send(mqd_t queue, const char* message, std::size_t size, unsigned priority) {
  if (!controlled()) return real_send(queue, message, size, priority);
  return send(queue, message, size, priority, nullptr, __builtin_return_address(0));
}

int mq_setattr(mqd_t queue, const mq_attr* wanted, mq_attr* before) noexcept {
  if (!controlled()) return real_setattr(queue, wanted, before);
  controlled_call call{operation::mq_attributes, resource_of(queue), __builtin_return_address(0)};
  if (real_setattr(queue, wanted, before) != 0) return call.failed(errno);
  return call.completed_without_waking(0);
}

ssize_t mq_timedreceive(mqd_t queue, char* message, std::size_t size, unsigned* priority,
                        const timespec* until) {
  if (!controlled()) return real_timedreceive(queue, message, size, priority, until);
  return receive(queue, message, size, priority, until, __builtin_return_address(0));
}

int mq_timedsend(mqd_t queue, const char* message, std::size_t size, unsigned priority,
                 const timespec* until) {
  if (!controlled()) return real_timedsend(queue, message, size, priority, until);
  return send(queue, message, size, priority, until, __builtin_return_address(0));
}

int mq_unlink(const char* name) noexcept {
  if (!controlled()) return real_unlink(name);
  controlled_call call{operation::mq_unlink, queue_called(name), __builtin_return_address(0)};
  return real_unlink(name) == 0 ? call.completed(0) : call.failed(errno);
}

}  // extern "C"

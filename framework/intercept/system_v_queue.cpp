// System V message queues: messages with a type, which receivers choose by.
//
// Resource: the queue, by its id; msgget concerns the key.
// Blocks: msgsnd, while the real one with IPC_NOWAIT says EAGAIN, as the message's bytes do not
// fit; msgrcv, while there is no message of the type that it wants (ENOMSG). Releases: each message
// that is sent or taken; IPC_SET, which may make room, and IPC_RMID. A death gives nothing back.
//
// Linux hands a message over to the first receiver that wants it. Here it stays in the queue until
// one is picked, and others may take it before, as POSIX leaves open.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <sys/msg.h>

#include <cerrno>
#include <optional>

#include "framework/intercept/instrumented.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/system_v.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::wake;
using system_v::stamp;

constinit next<decltype(::msgget)> real_get{"msgget"};
constinit next<decltype(::msgsnd)> real_send{"msgsnd"};
constinit next<decltype(::msgrcv)> real_receive{"msgrcv"};
constinit next<decltype(::msgctl)> real_ctl{"msgctl"};

resource_id queue_of(int id) noexcept {
  return execution::system_v_object(id, resource_kind::system_v_queue);
}

// Every message begins with its type, a positive one.
std::uint64_t type_of(const void* message) noexcept {
  return message == nullptr ? 0 : static_cast<std::uint64_t>(*static_cast<const long*>(message));
}

// The bytes of the text, behind the type.
std::int64_t with_type(std::size_t text) noexcept {
  return static_cast<std::int64_t>(sizeof(long) + text);
}

// The others tell of the whole system, or take an index for an id.
bool concerns_queue(int command) noexcept {
  return command == IPC_RMID || command == IPC_SET || command == IPC_STAT;
}

// Before a queue is removed: its key can then be used for another one.
void involve_key(controlled_call& call, int id) noexcept {
  msqid_ds status{};
  if (real_ctl(id, IPC_STAT, &status) == 0 && status.msg_perm.__key != IPC_PRIVATE)
    call.involve(execution::system_v_key(status.msg_perm.__key, resource_kind::system_v_queue));
}

// Nothing if there is no such queue.
std::optional<std::uint64_t> messages_in(int id) noexcept {
  msqid_ds status{};
  return real_ctl(id, IPC_STAT, &status) == 0 ? std::optional(status.msg_qnum) : std::nullopt;
}

// A queue that has messages in it may have no room for one more, as how many bytes it holds is up
// to the system (msgget(2), MSGMNB): until one is taken out. 0 then, or why the call ends.
int wait_as_if_full(controlled_call& call, int id, int flags) noexcept {
  if (!controlled_call::possible(fault_kind::full)) return 0;
  const auto before = messages_in(id).value_or(0);
  if (before == 0 || !call.finds_no_room()) return 0;
  if ((flags & IPC_NOWAIT) != 0) return EAGAIN;
  for (;;) {
    const auto now = messages_in(id);
    if (!now) return EIDRM;
    if (*now < before) return 0;
    if (call.block() != wake::retry) return EINTR;  // SA_RESTART or not
  }
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int msgctl(int id, int command, msqid_ds* status) noexcept {
  if (!controlled()) return real_ctl(id, command, status);
  const auto queue = concerns_queue(command) ? queue_of(id) : no_resource;
  controlled_call call{operation::msgctl, queue, __builtin_return_address(0)};
  call.asks(static_cast<std::uint64_t>(command), 0);
  if (command == IPC_RMID) involve_key(call, id);
  const auto result = real_ctl(id, command, status);
  if (result < 0) return call.failed(errno);
  if (command == IPC_STAT) {
    system_v::show(queue, stamp::first, status->msg_stime);
    system_v::show(queue, stamp::second, status->msg_rtime);
    system_v::show(queue, stamp::change, status->msg_ctime);
  }
  if (command != IPC_RMID && command != IPC_SET) return call.completed_unchanged(result);
  system_v::happened(queue, stamp::change);
  return call.completed(result);
}

int msgget(key_t key, int flags) noexcept {
  return system_v::get(operation::msgget, resource_kind::system_v_queue, key, flags,
                       __builtin_return_address(0), [&](int with) { return real_get(key, with); });
}

// A copy is asked for by place instead of type, and never waits; the kernel insists on IPC_NOWAIT.
ssize_t msgrcv(int id, void* message, std::size_t size, long type, int flags) {
  if (!controlled()) return real_receive(id, message, size, type, flags);
  const auto queue = queue_of(id);
  const auto* site = __builtin_return_address(0);
  controlled_call call{operation::msgrcv, queue, site};
  call.asks(static_cast<std::uint64_t>(type), 0);
  const bool copies = (flags & MSG_COPY) != 0;
  const auto without_waiting = copies ? flags : flags | IPC_NOWAIT;
  for (bool has_waited = false;; has_waited = true) {
    const auto got = real_receive(id, message, size, type, without_waiting);
    if (got >= 0) {
      call.asks(static_cast<std::uint64_t>(type), type_of(message));
      if (!copies) system_v::happened(queue, stamp::second);
      copies ? call.completed_unchanged(got) : call.completed(got);
      tell_buffer_access(operation::store, message, with_type(static_cast<std::size_t>(got)), site);
      return got;
    }
    if (errno != ENOMSG || (flags & IPC_NOWAIT) != 0 || copies)
      return system_v::failed(call, has_waited, errno);
    if (call.block() != wake::retry) return call.failed(EINTR);  // SA_RESTART or not
  }
}

int msgsnd(int id, const void* message, std::size_t size, int flags) {
  if (!controlled()) return real_send(id, message, size, flags);
  const auto queue = queue_of(id);
  const auto* site = __builtin_return_address(0);
  controlled_call call{operation::msgsnd, queue, site};
  call.asks(type_of(message), size);
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  if (const auto error = wait_as_if_full(call, id, flags); error != 0) return call.failed(error);
  for (bool has_waited = false;; has_waited = true) {
    if (real_send(id, message, size, flags | IPC_NOWAIT) == 0) {
      tell_buffer_access(operation::load, message, with_type(size), site);
      system_v::happened(queue, stamp::first);
      return call.completed(0);
    }
    if (errno != EAGAIN || (flags & IPC_NOWAIT) != 0)
      return system_v::failed(call, has_waited, errno);
    if (call.block() != wake::retry) return call.failed(EINTR);  // SA_RESTART or not
  }
}

}  // extern "C"

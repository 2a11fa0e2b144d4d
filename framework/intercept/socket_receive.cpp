// What is received through sockets: recv, recvfrom, recvmsg, recvmmsg, read, readv.
//
// Resource: the socket. Blocks: while the real call, made so that it cannot wait, finds nothing;
// until SO_RCVTIMEO in virtual time. With MSG_WAITALL or SO_RCVLOWAT a stream is waited for until
// there is as much as was asked for, its end, or no more time.
// Releases: what is taken out makes room for whoever sends. A look (MSG_PEEK), the end of the data,
// and an error change nothing.
// Events: the result is the number of bytes; before is how many were asked for, after as
// framework/trace/transfer.hpp says, the second resource is the peer. A call for many messages is
// one event a message. Descriptors that came along are told as duplicates of what the sender had
// (unix(7)), with no number for its own. What the kernel wrote into the buffers is told after what
// was received with it.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/execution/event_source.hpp"
#include "framework/intercept/first_bytes.hpp"
#include "framework/intercept/instrumented.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/remainder.hpp"
#include "framework/intercept/socket_delivery.hpp"
#include "framework/intercept/socket_transfer.hpp"
#include "framework/intercept/socket_wait.hpp"
#include "framework/trace/transfer.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::recv)> real_recv{"recv"};
constinit next<decltype(::recvfrom)> real_recvfrom{"recvfrom"};
constinit next<decltype(::recvmmsg)> real_recvmmsg{"recvmmsg"};
constinit next<decltype(::recvmsg)> real_recvmsg{"recvmsg"};
constinit next<ssize_t(int, void*, std::size_t, std::size_t, int)> real_recv_chk{"__recv_chk"};
constinit next<ssize_t(int, void*, std::size_t, std::size_t, int, sockaddr*, socklen_t*)>
    real_recvfrom_chk{"__recvfrom_chk"};

// One call. `message` is what a recvmsg was given, whose parts are known once the kernel has
// accepted it; others have only parts.
struct receiving {
  int fd;
  int flags;
  const iovec* parts;
  std::size_t part_count;
  const msghdr* message;
  const void* site;

  // Only once the kernel has accepted them.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t total = 0;
    for (std::size_t i = 0; i < part_count; ++i) total += parts[i].iov_len;
    return total;
  }

  // What the kernel has not accepted yet; 0 if it will not.
  [[nodiscard]] std::size_t size_before() const noexcept {
    if (message == nullptr) return size_if_accepted(parts, part_count);
    if (!readable(message, sizeof *message)) return 0;
    return size_if_accepted(message->msg_iov, message->msg_iovlen);
  }

  // The first bytes of the buffers have come.
  void tell_buffers(std::int64_t count) const noexcept {
    tell_buffer_access(operation::store, parts, part_count, count, site);
  }

  [[nodiscard]] bool looks_only() const noexcept { return (flags & MSG_PEEK) != 0; }

  // How many bytes a stream owes before a call that waits returns.
  [[nodiscard]] std::uint64_t kind() const noexcept {
    return (looks_only() ? received_a_look : 0) | (is_stream(fd) ? 0 : received_a_message);
  }

  [[nodiscard]] std::size_t wanted() const noexcept {
    if (!is_stream(fd)) return 0;
    if ((flags & MSG_WAITALL) != 0) return size();
    const auto least = socket_option(fd, SO_RCVLOWAT);
    return std::min(size(), static_cast<std::size_t>(std::max(least, 0)));
  }
};

// Waits until there may be something. 0, or why the call ends.
int wait_for_more(controlled_call& call, const receiving& what, const patience& how) noexcept {
  const auto own = call.resource();
  if (how.waits() && await_delivery(what.fd, own)) return 0;
  call.involve(peer_of(own));
  return how.wait(call, own, talks_to_outside(what.fd, own));
}

// Descriptors that came along are the caller's own now.
void tell_descriptors(const receiving& what) noexcept {
  if (what.message == nullptr || what.message->msg_control == nullptr) return;
  auto* all = const_cast<msghdr*>(what.message);  // NOLINT: CMSG_NXTHDR only reads it
  for (auto* c = CMSG_FIRSTHDR(all); c != nullptr; c = CMSG_NXTHDR(all, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (auto at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, reinterpret_cast<const char*>(c) + at, sizeof fd);  // NOLINT: its data
      execution::forget_event_source(fd);
      auto call = controlled_call::silent(operation::dup, resource_of(fd), what.site);
      call.asks(~std::uint64_t{0}, 0);
      call.completed_unchanged(fd);
    }
  }
}

// Bytes have been taken out.
void taken(int fd, resource_id own, std::uint64_t count) noexcept {
  are_received(fd, own, count);
  changed_at_both_ends(own);
}

// Receives the rest of what a stream owes. Returns how much came. A message with control data is an
// end of its own: descriptors and credentials do not mix.
long receive_rest(controlled_call& call, const receiving& what, const patience& how,
                  std::size_t got, std::size_t wanted) noexcept {
  remainder rest(what.parts, what.part_count);
  rest.skip(got);
  const auto begin = got;
  while (got < wanted && !rest.empty()) {
    const auto now = sys::call(SYS_recvfrom, what.fd, sys::address(rest.data()),
                               static_cast<long>(rest.size()), what.flags | MSG_DONTWAIT, 0, 0);
    if (now == -EAGAIN) {
      if (wait_for_more(call, what, how) == 0 && !how.handler_ran()) continue;
      break;
    }
    if (now <= 0) break;
    got += static_cast<std::size_t>(now);
    rest.skip(static_cast<std::size_t>(now));
    taken(what.fd, call.resource(), static_cast<std::uint64_t>(now));
  }
  return static_cast<long>(got - begin);
}

// A look at a stream that shall see more than there is. True if it is worth another one.
bool look_again(controlled_call& call, const receiving& what, const patience& how) noexcept {
  if (!is_tcp(what.fd)) return false;  // a Unix socket shows what there is
  if ((ready(what.fd, POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR)) != 0) return false;
  return wait_for_more(call, what, how) == 0;
}

// A shutdown for reading shows to a datagram's receiver only where it would wait.
bool is_shut(int fd) noexcept { return !is_stream(fd) && (ready(fd, POLLRDHUP) & POLLRDHUP) != 0; }

bool came_with_control(const receiving& what) noexcept {
  return what.message != nullptr && what.message->msg_controllen != 0;
}

// How many bytes a fault lets the call have, as of a stream they come as they come; 0: it does not
// strike.
std::size_t part_of(controlled_call& call, const receiving& what) noexcept {
  constexpr int wants_all_or_looks = MSG_WAITALL | MSG_PEEK | MSG_ERRQUEUE | MSG_OOB;
  if (!controlled_call::possible(fault_kind::partial)) return 0;
  if ((what.flags & wants_all_or_looks) != 0 || !is_stream(what.fd)) return 0;
  int there = 0;
  sys::call(SYS_ioctl, what.fd, FIONREAD, sys::address(&there));
  return cut_of(call, std::min(what.size_before(), static_cast<std::size_t>(there)));
}

// attempt: the real call, so that it cannot wait, and for that part only, if it is not 0; bytes, or
// a negative error.
template <class Attempt>
ssize_t receive(const receiving& what, Attempt attempt) noexcept {
  constexpr int never_wait = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB;
  const patience how(what.fd, SO_RCVTIMEO, (what.flags & never_wait) != 0);
  const auto own = resource_of(what.fd);
  controlled_call call{operation::receive, own, what.site};
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  for (;;) {
    auto result = static_cast<long>(attempt(part_of(call, what)));
    if (result == -EAGAIN && how.waits() && is_shut(what.fd)) result = 0;
    if (result == -EAGAIN) {
      const auto error = wait_for_more(call, what, how);
      if (error == 0) continue;
      return call.failed(error);
    }
    if (result < 0) return call.failed(static_cast<int>(-result));
    call.involve(peer_of(own));
    call.asks(what.size(), what.kind());
    const auto got = static_cast<std::size_t>(result);
    if (result == 0 && what.size() > 0 && is_stream(what.fd)) return call.completed_unchanged(0L);

    const auto wanted = how.waits() && !came_with_control(what) ? what.wanted() : 0;
    if (what.looks_only()) {
      if (got < wanted && look_again(call, what, how)) continue;
      call.completed_unchanged(result);
      what.tell_buffers(result);
      return result;
    }
    taken(what.fd, own, got);
    if (got < wanted) result += receive_rest(call, what, how, got, wanted);
    call.completed_without_waking(result);
    what.tell_buffers(result);
    tell_descriptors(what);
    return result;
  }
}

ssize_t receive_bytes(int fd, void* buffer, std::size_t size, int flags, sockaddr* from,
                      socklen_t* from_size, const void* site) noexcept {
  const iovec whole{buffer, size};
  return receive({fd, flags, &whole, 1, nullptr, site}, [&](std::size_t part) {
    const auto asked = static_cast<long>(part == 0 ? size : part);
    return sys::call(SYS_recvfrom, fd, sys::address(buffer), asked, flags | MSG_DONTWAIT,
                     sys::address(from), sys::address(from_size));
  });
}

// The kernel writes into the header what it found; an attempt that found nothing leaves it alone.
ssize_t receive_message(int fd, msghdr* message, int flags, const void* site) noexcept {
  receiving what{fd, flags, nullptr, 0, message, site};
  const auto attempt = [&](msghdr* into) {
    return sys::call(SYS_recvmsg, fd, sys::address(into), flags | MSG_DONTWAIT);
  };
  const auto attempt_part = [&](std::size_t part) {
    first_bytes cut(message->msg_iov, message->msg_iovlen, part);
    auto first = *message;
    first.msg_iov = cut.data();
    first.msg_iovlen = cut.count();
    const auto result = attempt(&first);
    first.msg_iov = message->msg_iov;
    first.msg_iovlen = message->msg_iovlen;
    if (result >= 0) *message = first;
    return result;
  };
  return receive(what, [&](std::size_t part) {
    const auto result = part == 0 ? attempt(message) : attempt_part(part);
    if (result >= 0) {
      what.parts = message->msg_iov;
      what.part_count = message->msg_iovlen;
    }
    return result;
  });
}

// read(2) of a socket that blocks, so that it does not.
template <class Call>
long read_without_waiting(int fd, Call call) noexcept {
  const auto flags = status_flags(fd);
  set_status_flags(fd, flags | O_NONBLOCK);
  const auto result = call();
  set_status_flags(fd, flags);
  return result;
}

bool passes(int fd) noexcept { return !controlled() || !is_socket(fd); }

}  // namespace

ssize_t read_socket(int fd, void* buffer, std::size_t count, const void* site) noexcept {
  const iovec whole{buffer, count};
  return receive({fd, 0, &whole, 1, nullptr, site}, [&](std::size_t part) {
    const auto asked = static_cast<long>(part == 0 ? count : part);
    return read_without_waiting(
        fd, [&] { return sys::call(SYS_read, fd, sys::address(buffer), asked); });
  });
}

ssize_t readv_socket(int fd, const iovec* parts, int count, const void* site) noexcept {
  const auto part_count = static_cast<std::size_t>(std::max(count, 0));
  return receive({fd, 0, parts, part_count, nullptr, site}, [&](std::size_t part) {
    first_bytes cut(parts, part_count, part);
    return read_without_waiting(fd, [&] {
      return part == 0 ? sys::call(SYS_readv, fd, sys::address(parts), count)
                       : sys::call(SYS_readv, fd, sys::address(cut.data()),
                                   static_cast<long>(cut.count()));
    });
  });
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// What recv() and recvfrom() are when their caller was built with _FORTIFY_SOURCE.
ssize_t __recv_chk(int fd, void* buffer, std::size_t size, std::size_t room, int flags);  // NOLINT
ssize_t __recvfrom_chk(int fd, void* buffer, std::size_t size, std::size_t room,          // NOLINT
                       int flags, sockaddr* from, socklen_t* from_size);

ssize_t __recv_chk(int fd, void* buffer, std::size_t size, std::size_t room,  // NOLINT
                   int flags) {
  if (passes(fd) || size > room) return real_recv_chk(fd, buffer, size, room, flags);
  return receive_bytes(fd, buffer, size, flags, nullptr, nullptr, __builtin_return_address(0));
}

ssize_t __recvfrom_chk(int fd, void* buffer, std::size_t size, std::size_t room,  // NOLINT
                       int flags, sockaddr* from, socklen_t* from_size) {
  if (passes(fd) || size > room)
    return real_recvfrom_chk(fd, buffer, size, room, flags, from, from_size);
  return receive_bytes(fd, buffer, size, flags, from, from_size, __builtin_return_address(0));
}

ssize_t recv(int fd, void* buffer, std::size_t size, int flags) {
  if (passes(fd)) return real_recv(fd, buffer, size, flags);
  return receive_bytes(fd, buffer, size, flags, nullptr, nullptr, __builtin_return_address(0));
}

ssize_t recvfrom(int fd, void* buffer, std::size_t size, int flags, sockaddr* from,
                 socklen_t* from_size) {
  if (passes(fd)) return real_recvfrom(fd, buffer, size, flags, from, from_size);
  return receive_bytes(fd, buffer, size, flags, from, from_size, __builtin_return_address(0));
}

// As the kernel does it: the time-out is looked at after each message, and does not end a wait.
int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  if (passes(fd)) return real_recvmmsg(fd, messages, count, flags, timeout);
  const auto* site = __builtin_return_address(0);
  if (timeout != nullptr && (timeout->tv_sec < 0 || !valid(*timeout))) {
    errno = EINVAL;
    return -1;
  }
  const auto deadline = timeout != nullptr ? deadline_after(*timeout) : execution::no_deadline;
  count = std::min<unsigned>(count, IOV_MAX);
  unsigned done = 0;
  while (done < count) {
    const auto got = receive_message(fd, &messages[done].msg_hdr, flags & ~MSG_WAITFORONE, site);
    if (got < 0) break;
    messages[done++].msg_len = static_cast<unsigned>(got);
    if ((flags & MSG_WAITFORONE) != 0) flags |= MSG_DONTWAIT;
    if (execution::now_ns() >= deadline) break;
  }
  if (timeout != nullptr && done > 0) {
    const auto now = execution::now_ns();
    const auto left = deadline > now ? deadline - now : 0;
    *timeout = {static_cast<time_t>(left / ns_per_s), static_cast<long>(left % ns_per_s)};
  }
  return done > 0 || count == 0 ? static_cast<int>(done) : -1;
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if (passes(fd)) return real_recvmsg(fd, message, flags);
  return receive_message(fd, message, flags, __builtin_return_address(0));
}

}  // extern "C"

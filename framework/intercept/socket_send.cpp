// What is sent through sockets: send, sendto, sendmsg, sendmmsg, write, writev.
//
// Resource: the socket. Blocks: while the real call with MSG_DONTWAIT says that there is no room;
// at the socket that it is for, if that is known, until SO_SNDTIMEO in virtual time. A stream takes
// what fits and goes on with the rest; a message goes whole or not at all.
// Releases: each transfer lets the receiver go on, even a part of one.
// Events: the result is the number of bytes, before how many there were, after how many descriptors
// went along; the second resource is the socket that it is for. A call with many messages is one
// event a message. What the kernel read from the buffers is told before it is handed on.
//
// Once it waits, the kernel wakes a sender only when a good part of its buffer is free (poll(2)
// tells when), although less would do for it to go on. So does this.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <limits.h>
#include <linux/sockios.h>
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

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::send)> real_send{"send"};
constinit next<decltype(::sendmmsg)> real_sendmmsg{"sendmmsg"};
constinit next<decltype(::sendmsg)> real_sendmsg{"sendmsg"};
constinit next<decltype(::sendto)> real_sendto{"sendto"};

// One call: what it is given, in the form of the most general one.
struct sending {
  int fd;
  const msghdr* message;
  int flags;
  const void* site;

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t total = 0;
    for (std::size_t i = 0; i < message->msg_iovlen; ++i) total += message->msg_iov[i].iov_len;
    return total;
  }

  // What the kernel has not accepted yet; 0 if it will not.
  [[nodiscard]] std::size_t size_before() const noexcept {
    if (!readable(message, sizeof *message)) return 0;
    return size_if_accepted(message->msg_iov, message->msg_iovlen);
  }

  // A connection of UDP leads to whoever is at the address now.
  [[nodiscard]] resource_id target(resource_id own) const noexcept {
    if (is_stream(fd)) return peer_of(own);
    if (message->msg_name == nullptr)
      return is_udp(fd) ? receiver_at(fd, socket_address::connected(fd)) : peer_of(own);
    const auto to =
        socket_address::of(static_cast<const sockaddr*>(message->msg_name), message->msg_namelen);
    return receiver_at(fd, to);
  }

  // Calls visit(data, how many) for each part of the control data with descriptors: unix(7),
  // SCM_RIGHTS.
  void for_each_rights(auto visit) const noexcept {
    if (message->msg_control == nullptr) return;
    auto* all = const_cast<msghdr*>(message);  // NOLINT: CMSG_NXTHDR only reads it
    for (auto* c = CMSG_FIRSTHDR(all); c != nullptr; c = CMSG_NXTHDR(all, c))
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        visit(CMSG_DATA(c), (c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  }

  [[nodiscard]] std::uint64_t descriptors() const noexcept {
    std::uint64_t count = 0;
    for_each_rights([&](const void*, std::size_t more) { count += more; });
    return count;
  }

  void descriptors_travel() const noexcept {
    for_each_rights([](const unsigned char* data, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        int travels = -1;
        std::memcpy(&travels, data + i * sizeof travels, sizeof travels);
        execution::event_source_travels(travels);
      }
    });
  }
};

// Is it the sender's own buffer that is full? Else it is the queue of the receiver of messages.
bool own_buffer_is_full(int fd) noexcept {
  if (is_stream(fd)) return true;
  int used = 0;
  sys::call(SYS_ioctl, fd, SIOCOUTQ, sys::address(&used));
  return used >= socket_option(fd, SO_SNDBUF);
}

// Waits for room to send. 0, or why the call ends. Whom it is for may change meanwhile: a
// connection that is accepted has a new peer.
int wait_for_room(controlled_call& call, const sending& what, const patience& how) noexcept {
  const auto own = call.resource();
  const bool buffer = how.waits() && own_buffer_is_full(what.fd);
  do {
    const auto target = what.target(own);
    call.involve(target);
    const auto awaited = target != no_resource ? target : own;
    const auto error = how.wait(call, awaited, talks_to_outside(what.fd, own));
    if (error != 0) return error;
  } while (buffer && ready(what.fd, POLLOUT) == 0);
  return 0;
}

// Bytes have gone: whoever waits for them, or anybody if that is not known, may go on.
void gone(int fd, resource_id own, resource_id target, std::uint64_t count) noexcept {
  are_sent(fd, own, target, count);
  target != no_resource ? execution::changed(target) : changed_at_all_sockets();
}

// A later part of a transfer: an error is for the next call to tell, and so is the signal. TCP
// keeps the error for it; a Unix socket forgets it also when it is asked only once.
long send_more(int fd, const remainder& rest, int flags) noexcept {
  if (is_tcp(fd) && (ready(fd, 0) & (POLLERR | POLLHUP)) != 0) return -EPIPE;
  return sys::call(SYS_sendto, fd, sys::address(rest.data()), static_cast<long>(rest.size()),
                   flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Sends the rest of a stream. Returns how much of it went.
long send_rest(controlled_call& call, const sending& what, const patience& how,
               std::size_t sent) noexcept {
  remainder rest(what.message->msg_iov, what.message->msg_iovlen);
  rest.skip(sent);
  long more = 0;
  while (!rest.empty()) {
    const auto target = what.target(call.resource());
    const auto now = send_more(what.fd, rest, what.flags);
    if (now >= 0) {
      tell_buffer_access(operation::load, rest.data(), now, what.site);
      more += now;
      rest.skip(static_cast<std::size_t>(now));
      gone(what.fd, call.resource(), target, static_cast<std::uint64_t>(now));
      continue;
    }
    if (now != -EAGAIN) break;
    if (wait_for_room(call, what, how) != 0 || how.handler_ran()) break;
  }
  return more;
}

// What a stream has been given and nobody has taken out yet: of TCP in bytes, which it confirms
// before; of a Unix socket in memory.
std::uint64_t not_taken(int fd, resource_id own) noexcept {
  if (is_tcp(fd)) return unread(own);
  int used = 0;
  sys::call(SYS_ioctl, fd, SIOCOUTQ, sys::address(&used));
  return static_cast<std::uint64_t>(used);
}

// To send nothing is refused like anything else once no more can be sent. An error that is waiting
// is not asked for: whoever hears of it takes it away.
bool may_still_send(int fd) noexcept {
  return (ready(fd, 0) & (POLLERR | POLLHUP)) == 0 &&
         sys::call(SYS_sendto, fd, 0, 0, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0) == 0;
}

// A stream that is not empty may have no room for more: how much it holds is the system's affair
// (socket(7), wmem_default; tcp(7), tcp_mem). 0 once there is room again, or why the call ends.
int wait_as_if_full(controlled_call& call, const sending& what, const patience& how) noexcept {
  if (!controlled_call::possible(fault_kind::full)) return 0;
  const auto own = call.resource();
  const auto size = what.size_before();
  if (size == 0 || !is_stream(what.fd) || talks_to_outside(what.fd, own)) return 0;
  const auto before = not_taken(what.fd, own);
  if (before == 0 || !may_still_send(what.fd) || !call.finds_no_room()) return 0;
  call.asks(size, 0);
  while (not_taken(what.fd, own) >= before && may_still_send(what.fd))
    if (const auto error = wait_for_room(call, what, how); error != 0) return error;
  return 0;
}

// How much of a stream a fault lets a call send, as if a handler of a signal had interrupted it
// then; 0: it does not strike. Of what is urgent only the last byte is.
std::size_t part_of(controlled_call& call, const sending& what) noexcept {
  if (!controlled_call::possible(fault_kind::partial)) return 0;
  if (!is_stream(what.fd) || (what.flags & MSG_OOB) != 0) return 0;
  return cut_of(call, what.size_before());
}

// The message, or the first bytes of it, with all that goes along.
class cut_message {
 public:
  cut_message(const msghdr* whole, std::size_t part) noexcept : whole_(whole), is_cut_(part != 0) {
    if (!is_cut_) return;
    parts_ = first_bytes(whole->msg_iov, whole->msg_iovlen, part);
    cut_ = *whole;
    cut_.msg_iov = parts_.data();
    cut_.msg_iovlen = parts_.count();
  }
  cut_message(const cut_message&) = delete;
  cut_message& operator=(const cut_message&) = delete;

  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }
  [[nodiscard]] const msghdr* get() const noexcept { return is_cut_ ? &cut_ : whole_; }

 private:
  const msghdr* whole_;
  bool is_cut_;
  first_bytes parts_;
  msghdr cut_{};
};

ssize_t send_message(const sending& what) noexcept {
  const patience how(what.fd, SO_SNDTIMEO, (what.flags & MSG_DONTWAIT) != 0);
  const auto own = resource_of(what.fd);
  controlled_call call{operation::send, own, what.site};
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  if (const auto error = wait_as_if_full(call, what, how); error != 0) return call.failed(error);
  const cut_message message(what.message, part_of(call, what));
  for (;;) {
    auto result =
        sys::call(SYS_sendmsg, what.fd, sys::address(message.get()), what.flags | MSG_DONTWAIT);
    if (result < 0 && result != -EAGAIN) return call.failed(static_cast<int>(-result));
    const auto target = what.target(own);
    call.involve(target);
    call.asks(what.size(), what.descriptors());
    if (result >= 0) {
      if (what.message->msg_name != nullptr) is_bound(what.fd);  // by the kernel, if not before
      gone(what.fd, own, target, static_cast<std::uint64_t>(result));
      what.descriptors_travel();
      tell_buffer_access(operation::load, what.message->msg_iov, what.message->msg_iovlen, result,
                         what.site);
      const auto sent = static_cast<std::size_t>(result);
      if (sent < what.size() && !message.is_cut() && how.waits() && is_stream(what.fd))
        result += send_rest(call, what, how, sent);
      if (result == 0 && is_stream(what.fd)) return call.completed_unchanged(result);
      return call.completed_without_waking(result);
    }
    if (const auto error = wait_for_room(call, what, how); error != 0) return call.failed(error);
  }
}

ssize_t send_bytes(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
                   socklen_t to_size, const void* site) noexcept {
  iovec whole{const_cast<void*>(data), size};  // NOLINT: an iovec serves reads as well
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to);  // NOLINT: as sendmsg() wants it
  message.msg_namelen = to_size;
  message.msg_iov = &whole;
  message.msg_iovlen = 1;
  return send_message({fd, &message, flags, site});
}

bool passes(int fd) noexcept { return !controlled() || !is_socket(fd); }

// write(2) ends a record of a socket that has records.
int flags_of_write(int fd) noexcept {
  return socket_option(fd, SO_TYPE) == SOCK_SEQPACKET ? MSG_EOR : 0;
}

}  // namespace

// A file goes until its end, as far as there is room or room comes.
ssize_t sendfile_socket(int fd, int in, off_t* offset, std::size_t count,
                        const void* site) noexcept {
  const patience how(fd, SO_SNDTIMEO, false);
  const msghdr nothing{};
  const sending what{fd, &nothing, 0, site};
  controlled_call call{operation::send, resource_of(fd), site};
  call.asks(count, 0);
  for (std::size_t sent = 0;;) {
    const auto flags = status_flags(fd);
    set_status_flags(fd, flags | O_NONBLOCK);
    const auto now =
        sys::call(SYS_sendfile, fd, in, sys::address(offset), static_cast<long>(count - sent));
    set_status_flags(fd, flags);
    const auto target = what.target(call.resource());
    call.involve(target);
    if (now > 0) {
      gone(fd, call.resource(), target, static_cast<std::uint64_t>(now));
      sent += static_cast<std::size_t>(now);
      if (sent < count && how.waits()) continue;
    }
    const auto error = now == -EAGAIN && sent < count ? wait_for_room(call, what, how)
                                                      : static_cast<int>(std::max(-now, 0L));
    if (now == -EAGAIN && error == 0) continue;
    if (sent == 0 && error != 0) return call.failed(error);
    return call.completed_without_waking(static_cast<ssize_t>(sent));
  }
}

ssize_t write_socket(int fd, const void* buffer, std::size_t count, const void* site) noexcept {
  return send_bytes(fd, buffer, count, flags_of_write(fd), nullptr, 0, site);
}

ssize_t writev_socket(int fd, const iovec* parts, int count, const void* site) noexcept {
  if (count < 0 || count > IOV_MAX) {
    errno = EINVAL;
    return -1;
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);  // NOLINT: as sendmsg() wants it
  message.msg_iovlen = static_cast<std::size_t>(count);
  return send_message({fd, &message, flags_of_write(fd), site});
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

ssize_t send(int fd, const void* data, std::size_t size, int flags) {
  if (passes(fd)) return real_send(fd, data, size, flags);
  return send_bytes(fd, data, size, flags, nullptr, 0, __builtin_return_address(0));
}

// The messages that went before one that failed count; the kernel forgets why it failed. One that
// went in part is the last one.
int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (passes(fd)) return real_sendmmsg(fd, messages, count, flags);
  const auto* site = __builtin_return_address(0);
  count = std::min<unsigned>(count, IOV_MAX);
  unsigned done = 0;
  while (done < count) {
    const sending what{fd, &messages[done].msg_hdr, flags, site};
    const auto sent = send_message(what);
    if (sent < 0) return done > 0 ? static_cast<int>(done) : -1;
    messages[done++].msg_len = static_cast<unsigned>(sent);
    if (static_cast<std::size_t>(sent) < what.size()) break;
  }
  return static_cast<int>(done);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (passes(fd)) return real_sendmsg(fd, message, flags);
  return send_message({fd, message, flags, __builtin_return_address(0)});
}

ssize_t sendto(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
               socklen_t to_size) {
  if (passes(fd)) return real_sendto(fd, data, size, flags, to, to_size);
  return send_bytes(fd, data, size, flags, to, to_size, __builtin_return_address(0));
}

}  // extern "C"

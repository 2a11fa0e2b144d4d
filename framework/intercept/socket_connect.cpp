// How connections come about: accept and connect.
//
// Resource: the socket that listens, for accept; the one that connects, for connect.
// Blocks: accept, while nobody has connected; connect, while the listener has no room for one more
// that it has not accepted, which is waited for at the listener. Both until the socket's time-out
// (SO_RCVTIMEO, SO_SNDTIMEO), in virtual time.
// Releases: a connect lets the listener go on, an accept makes room for one more.
// Events: accept: the result is the new descriptor, the second resource the new socket. connect:
// the second resource is the listener.
//
// There are no flags that keep these two from waiting, so O_NONBLOCK is set for the attempt; nobody
// else runs meanwhile. TCP would try again by its own clock to reach a listener without room; here
// the attempt is taken back, and made anew when there is room. If the program does not wait for it,
// whoever makes room makes it anew, with a copy of the descriptor. Its own port is another one
// then. Async-signal-safe: nothing is allocated, no lock is taken.
#include "framework/intercept/socket_connect.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/execution/inherited_pipes.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/socket_delivery.hpp"
#include "framework/intercept/socket_holders.hpp"
#include "framework/intercept/socket_wait.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::accept)> real_accept{"accept"};
constinit next<decltype(::accept4)> real_accept4{"accept4"};
constinit next<decltype(::connect)> real_connect{"connect"};

// The result of a system call that cannot wait, with O_NONBLOCK set for its duration.
template <class Call>
long without_waiting(int fd, Call call) noexcept {
  const auto flags = status_flags(fd);
  set_status_flags(fd, flags | O_NONBLOCK);
  const auto result = call();
  set_status_flags(fd, flags);
  return result;
}

int accept_here(int fd, sockaddr* name, socklen_t* size, int flags, const void* site) noexcept {
  const patience how(fd, SO_RCVTIMEO, false);
  const auto listener = resource_of(fd);
  controlled_call call{operation::accept, listener, site};
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  for (;;) {
    auto got = without_waiting(fd, [&] {
      return sys::call(SYS_accept4, fd, sys::address(name), sys::address(size), flags);
    });
    // The kernel tells of a shutdown only where the call would wait.
    if (got == -EAGAIN && how.waits() && (ready(fd, POLLRDHUP) & (POLLRDHUP | POLLHUP)) != 0)
      got = -EINVAL;
    if (got >= 0) {
      const auto made = static_cast<int>(got);
      is_accepted(fd, made);
      connect_those_without_room(listener);
      call.involve(resource_of(made));
      return call.completed(made);
    }
    if (got == -EAGAIN && how.waits() && await_delivery(fd, listener)) continue;
    if (got != -EAGAIN) return call.failed(static_cast<int>(-got));
    if (const auto error = how.wait(call, listener, false); error != 0) return call.failed(error);
  }
}

// Over loopback TCP has its answer at once, unless the kernel is busy.
void await_answer(int fd) noexcept {
  constexpr int patience_ms = 5;
  pollfd one{fd, POLLOUT, 0};
  sys::call(SYS_poll, sys::address(&one), 1, patience_ms);
}

// Has TCP asked the listener, and got no answer yet?
bool has_no_answer(int fd) noexcept {
  tcp_info now{};
  socklen_t size = sizeof now;
  const auto got =
      sys::call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, sys::address(&now), sys::address(&size));
  return got == 0 && now.tcpi_state == TCP_SYN_SENT;
}

// One attempt. EAGAIN, if the listener has no room: so says the kernel of Unix sockets. TCP is then
// still at it, and would go on by itself.
long try_connect(int fd, const sockaddr* name, socklen_t size, bool waits) noexcept {
  return without_waiting(fd, [&] {
    const auto again = [&] { return sys::call(SYS_connect, fd, sys::address(name), size); };
    auto result = again();
    if (!waits || (result != -EINPROGRESS && result != -EALREADY)) return result;
    await_answer(fd);
    result = again();
    return result == -EALREADY ? -EAGAIN : result;
  });
}

void take_back(int fd) noexcept {
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  without_waiting(fd,
                  [&] { return sys::call(SYS_connect, fd, sys::address(&nobody), sizeof nobody); });
  static_cast<void>(socket_option(fd, SO_ERROR));  // which clears it
}

resource_id target_of(int fd, const socket_address& address) noexcept {
  return socket_option(fd, SO_TYPE) == SOCK_DGRAM ? receiver_at(fd, address)
                                                  : listener_at(fd, address);
}

// Leaves it to those who make room.
void leave_waiting(resource_id socket, resource_id listener, const socket_address& to) noexcept {
  auto& a = *execution::current_arena();
  execution::waiting_connection one{.socket = socket,
                                    .listener = listener,
                                    .living = a.schedule.living,
                                    .address_size = to.size,
                                    .address = {}};
  if (to.size > one.address.size() || a.waiting_connection_count == a.waiting_connections.size())
    return execution::note_uncontrolled("connect");
  std::memcpy(one.address.data(), &to.bytes, to.size);
  a.waiting_connections[a.waiting_connection_count++] = one;
}

// False if the listener has no room still. What is not there any more, or has had its answer, does
// not wait.
bool try_again(execution::waiting_connection& one) noexcept {
  const borrowed_socket socket(one.socket);
  const auto fd = socket.descriptor();
  one.living = execution::current_arena()->schedule.living;
  if (fd < 0 || !has_no_answer(fd)) return true;
  take_back(fd);
  without_waiting(fd, [&] {
    return sys::call(SYS_connect, fd, sys::address(one.address.data()), one.address_size);
  });
  await_answer(fd);
  is_connected(fd, one.listener);
  return !has_no_answer(fd);
}

// Those who try again do so in the order in which they came, until one finds no room.
template <class Counts>
void connect_again(Counts counts) noexcept {
  auto& a = *execution::current_arena();
  for (std::uint32_t i = 0; i < a.waiting_connection_count;) {
    auto& one = a.waiting_connections[i];
    if (!counts(one)) {
      ++i;
      continue;
    }
    if (!try_again(one)) return;
    execution::changed(one.socket);
    execution::changed(one.listener);
    std::copy(&one + 1, a.waiting_connections.data() + a.waiting_connection_count, &one);
    --a.waiting_connection_count;
  }
}

int connect_here(int fd, const sockaddr* name, socklen_t size, const void* site) noexcept {
  const patience how(fd, SO_SNDTIMEO, false);
  controlled_call call{operation::connect, resource_of(fd), site};
  for (;;) {
    const auto result = try_connect(fd, name, size, how.waits());
    const bool begun = result == 0 || result == -EINPROGRESS;
    if (!begun && result != -EAGAIN) return call.failed(static_cast<int>(-result));

    const auto target = target_of(fd, socket_address::of(name, size));
    call.involve(target);
    if (begun) {
      is_connected(fd, target);
      if (result != 0 && target != no_resource) {
        await_answer(fd);
        if (has_no_answer(fd))
          leave_waiting(call.resource(), target, socket_address::of(name, size));
      }
      if (target != no_resource) execution::changed(target);
      return result == 0 ? call.completed(0) : call.failed(EINPROGRESS);
    }
    const bool taken_back = is_tcp(fd) && target != no_resource;
    if (taken_back) take_back(fd);
    const auto error =
        how.wait(call, target != no_resource ? target : call.resource(), target == no_resource);
    if (error == 0) continue;
    // TCP goes on trying when its caller has no more time.
    if (taken_back) static_cast<void>(try_connect(fd, name, size, false));
    return call.failed(error == EAGAIN && is_tcp(fd) ? EINPROGRESS : error);
  }
}

int accepted(int listener, int fd) noexcept {
  if (fd < 0 || execution::current_arena() == nullptr || controlled()) return fd;
  execution::note_inherited_pipe(fd);
  is_accepted(listener, fd);
  return fd;
}

}  // namespace

void connect_those_without_room(resource_id listener) noexcept {
  connect_again([&](const auto& one) { return one.listener == listener; });
}

void connect_if_somebody_died(resource_id socket) noexcept {
  const auto living = execution::current_arena()->schedule.living;
  connect_again([&](const auto& one) { return one.socket == socket && one.living != living; });
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int accept(int fd, sockaddr* name, socklen_t* size) {
  if (!controlled() || !is_socket(fd)) return accepted(fd, real_accept(fd, name, size));
  return accept_here(fd, name, size, 0, __builtin_return_address(0));
}

int accept4(int fd, sockaddr* name, socklen_t* size, int flags) {
  if (!controlled() || !is_socket(fd)) return accepted(fd, real_accept4(fd, name, size, flags));
  return accept_here(fd, name, size, flags, __builtin_return_address(0));
}

int connect(int fd, const sockaddr* name, socklen_t size) {
  if (controlled() && is_socket(fd))
    return connect_here(fd, name, size, __builtin_return_address(0));
  const auto result = real_connect(fd, name, size);
  if (result == 0 && execution::current_arena() != nullptr)
    is_connected(fd, target_of(fd, socket_address::of(name, size)));
  return result;
}

}  // extern "C"

#include "framework/intercept/socket_delivery.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>

#include "framework/intercept/socket_connect.hpp"
#include "framework/intercept/socket_peers.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;

void set_tcp_option(int fd, int option, int value) noexcept {
  sys::call(SYS_setsockopt, fd, IPPROTO_TCP, option, sys::address(&value), sizeof value);
}

// TCP may keep a small packet back until an earlier one is confirmed (RFC 896). Setting
// TCP_NODELAY, even for a moment, pushes it out: tcp(7).
void push_out(int fd) noexcept {
  int sends_at_once = 0;
  socklen_t size = sizeof sends_at_once;
  sys::call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_NODELAY, sys::address(&sends_at_once),
            sys::address(&size));
  if (sends_at_once != 0) return;
  set_tcp_option(fd, TCP_NODELAY, 1);
  set_tcp_option(fd, TCP_NODELAY, 0);
}

// TCP may put off by 200 ms to tell the sender that something came and that there is room again
// (RFC 1122, 4.2.3.2).
void confirm(int fd) noexcept { set_tcp_option(fd, TCP_QUICKACK, 1); }

bool readable_within(int fd, int milliseconds) noexcept {
  pollfd one{fd, POLLIN, 0};
  return sys::call(SYS_poll, sys::address(&one), 1, milliseconds) > 0;
}

void take(resource_id from, std::uint64_t count) noexcept {
  set_unread(from, unread(from) - std::min(unread(from), count));
}

// TCP loses nothing: what its peer has sent, or who has connected, will come. If not, it went a way
// that is not counted.
bool await_tcp(int fd, resource_id socket) noexcept {
  constexpr int patience_ms = 1000;
  const auto peer = peer_of(socket);
  if (!has_pending(socket) && (peer == no_resource || unread(peer) == 0)) return false;
  confirm(fd);
  if (readable_within(fd, patience_ms)) return true;
  if (peer != no_resource) set_unread(peer, 0);
  return false;
}

// UDP may have lost it: what has not come soon never will.
bool await_udp(int fd, resource_id socket) noexcept {
  constexpr int patience_ms = 20;
  if (unread(socket) == 0) return false;
  if (readable_within(fd, patience_ms)) return true;
  set_unread(socket, 0);
  return false;
}

}  // namespace

// The bytes of a stream are counted where they were sent, as nobody may have accepted yet; messages
// where they go to, as many may send there.
void are_sent(int fd, resource_id own, resource_id target, std::uint64_t count) noexcept {
  if (is_tcp(fd)) {
    push_out(fd);
    set_unread(own, unread(own) + count);
  } else if (is_udp(fd) && target != no_resource) {
    set_unread(target, unread(target) + 1);
  }
}

void are_received(int fd, resource_id own, std::uint64_t count) noexcept {
  if (is_udp(fd)) return take(own, 1);
  if (!is_tcp(fd)) return;
  confirm(fd);
  if (peer_of(own) != no_resource) take(peer_of(own), count);
}

bool await_delivery(int fd, resource_id socket) noexcept {
  if (socket == no_resource) return false;
  if (is_tcp(fd)) return await_tcp(fd, socket);
  return is_udp(fd) && await_udp(fd, socket);
}

readiness readiness_of_socket(int fd) noexcept {
  const auto socket = resource_of(fd);
  connect_if_somebody_died(socket);
  await_delivery(fd, socket);
  return {socket, talks_to_outside(fd, socket)};
}

}  // namespace forkloom::intercept

// What a socket is called: an address as a number that is the same for all sockets, whatever form
// it was written in. Raw system calls only: errno stays the caller's. Async-signal-safe.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace forkloom::intercept {

// getsockopt(2) of a number; -1 if the socket has none such.
[[nodiscard]] int socket_option(int fd, int option) noexcept;

// A stream of bytes that the sender may cut where it likes? Else messages.
[[nodiscard]] inline bool is_stream(int fd) noexcept {
  return socket_option(fd, SO_TYPE) == SOCK_STREAM;
}

// Which protocol of IP does it speak?
[[nodiscard]] bool is_tcp(int fd) noexcept;
[[nodiscard]] bool is_udp(int fd) noexcept;

struct socket_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;  // 0: none

  // A copy. Only for one that the kernel has read already, as a bad pointer is for it to refuse.
  static socket_address of(const sockaddr* address, socklen_t size) noexcept;

  // The one that the socket is bound to, and the one that it is connected to.
  static socket_address bound(int fd) noexcept;
  static socket_address connected(int fd) noexcept;

  // Has it any name, or is it that of a socket that was never bound?
  [[nodiscard]] bool names_something() const noexcept;
};

// The place that a socket of that descriptor's type takes there; 0 for none. Of a path it is the
// file at its end, which must be there.
[[nodiscard]] std::uint64_t place_of(int fd, const socket_address& address) noexcept;

// Under which places a socket may be found that gets what is sent to an address, the best first: a
// socket may be bound to one address of the machine, or to all. Unused ones are 0.
struct places {
  std::array<std::uint64_t, 3> all{};
};
[[nodiscard]] places places_to_find(int fd, const socket_address& address) noexcept;

// What to call a socket that a program binds there: a path, "@name", "TCP port 5000". Returns how
// much of the buffer was used; 0 if the kernel chooses the name, because it differs between runs.
[[nodiscard]] std::size_t write_name(int fd, const socket_address& address,
                                     std::span<char> buffer) noexcept;

}  // namespace forkloom::intercept

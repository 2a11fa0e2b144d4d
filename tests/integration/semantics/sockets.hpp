// Worlds for bodies that meet at sockets.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <string>

#include "tests/integration/semantics/peers.hpp"

namespace forkloom::semantics {

// Two ends of a socketpair; each body begins with both.
template <int type>
struct paired : notes, appointment {
  int one = -1;
  int other = -1;

  paired() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, type, 0, ends.data()) == 0) one = ends[0], other = ends[1];
  }
  paired(const paired&) = delete;
  paired& operator=(const paired&) = delete;
  ~paired() {
    if (!forked_) close_both();
  }

  // The native parent must not be a peer itself.
  void forked() {
    close_both();
    forked_ = true;
  }

  void one_only() const { ::close(other); }
  void other_only() const { ::close(one); }

  // Natively the parent has a copy, too, for a moment: the end of the data says that all are gone.
  void close_other_and_see_it_gone() const {
    ::close(other);
    char none = 0;
    static_cast<void>(::recv(one, &none, 1, 0) == 0);
  }

 private:
  void close_both() const {
    ::close(one);
    ::close(other);
  }
  bool forked_ = false;  // the maker's own
};

using streams = paired<SOCK_STREAM>;
using datagrams = paired<SOCK_DGRAM>;
using packets = paired<SOCK_SEQPACKET>;

// An address of any family.
struct endpoint {
  sockaddr_storage bytes{};
  socklen_t size = sizeof(sockaddr_storage);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
  [[nodiscard]] int bind(int fd) const { return ::bind(fd, get(), size); }
  [[nodiscard]] int connect(int fd) const { return ::connect(fd, get(), size); }
};

// The addresses that this process and its children may use, and no other run of the tests.
inline endpoint abstract_name(const char* last) {
  endpoint made;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const auto text = "forkloom-semantics-" + std::to_string(::getpid()) + "-" + last;
  text.copy(name.sun_path + 1, sizeof name.sun_path - 1);
  std::memcpy(&made.bytes, &name, sizeof name);
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return made;
}

inline endpoint path_name(const char* path) {
  endpoint made;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::string(path).copy(name.sun_path, sizeof name.sun_path - 1);
  std::memcpy(&made.bytes, &name, sizeof name);
  made.size = sizeof name;
  return made;
}

// Port 0: the kernel chooses one.
inline endpoint loopback(int family, in_port_t port = 0) {
  endpoint made;
  if (family == AF_INET) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    std::memcpy(&made.bytes, &name, sizeof name);
    made.size = sizeof name;
  } else {
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    name.sin6_port = htons(port);
    std::memcpy(&made.bytes, &name, sizeof name);
    made.size = sizeof name;
  }
  return made;
}

inline endpoint bound_to(int fd) {
  endpoint found;
  ::getsockname(fd, found.get(), &found.size);
  return found;
}

// A socket that is bound before the bodies begin, so that they know where it is.
template <int family, int type>
struct bound : notes, appointment {
  int fd = ::socket(family, type, 0);
  endpoint address;

  bound() {
    address = family == AF_UNIX ? abstract_name("bound") : loopback(family);
    static_cast<void>(address.bind(fd));
    address = bound_to(fd);
    if (type != SOCK_DGRAM) ::listen(fd, 8);
  }
  bound(const bound&) = delete;
  bound& operator=(const bound&) = delete;
  ~bound() {
    if (!forked_) ::close(fd);
  }
  void forked() {
    ::close(fd);
    forked_ = true;
  }

  [[nodiscard]] int client() const {
    const auto mine = ::socket(family, type, 0);
    return address.connect(mine) == 0 ? mine : -1;
  }

 private:
  bool forked_ = false;
};

inline long send_text(int fd, const char* text, int flags = 0) {
  return ::send(fd, text, std::strlen(text), flags);
}

// What a receive of one byte says: the byte, 0 at the end of the data, or minus the error.
inline long receive_one(int fd, int flags = 0) {
  char byte = 0;
  const auto got = ::recv(fd, &byte, 1, flags);
  return got == 1 ? byte : got == 0 ? 0 : -errno;
}

// The first bytes of what comes with one receive, as a number; minus the error.
inline long receive_few(int fd, std::size_t count, int flags = 0) {
  std::array<unsigned char, 8> bytes{};
  const auto got = ::recv(fd, bytes.data(), count, flags);
  if (got < 0) return -errno;
  long value = 0;
  for (long i = 0; i < got; ++i) value = value << 8 | bytes[static_cast<std::size_t>(i)];
  return value;
}

// Two or three characters as receive_few() tells them.
constexpr long letters(const char* text) {
  long value = 0;
  for (; *text != '\0'; ++text) value = value << 8 | static_cast<unsigned char>(*text);
  return value;
}

}  // namespace forkloom::semantics

#include "framework/intercept/socket_address.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "framework/execution/mappings.hpp"
#include "framework/execution/sys.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;

// An address of either version of IP in the form of the newer one (RFC 4291, 2.5.5.2).
struct internet {
  in6_addr host{};
  in_port_t port = 0;
  int type = 0;

  [[nodiscard]] bool old() const noexcept { return IN6_IS_ADDR_V4MAPPED(&host) != 0; }

  void set_old(in_addr_t address) noexcept {
    host = {};
    host.s6_addr[10] = host.s6_addr[11] = 0xff;
    std::memcpy(&host.s6_addr[12], &address, sizeof address);
  }

  [[nodiscard]] bool any() const noexcept {
    internet all = *this;
    old() ? all.set_old(INADDR_ANY) : static_cast<void>(all.host = IN6ADDR_ANY_INIT);
    return std::memcmp(&all.host, &host, sizeof host) == 0;
  }

  [[nodiscard]] std::uint64_t place() const noexcept {
    if (port == 0) return 0;
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, &host.s6_addr[0], sizeof high);
    std::memcpy(&low, &host.s6_addr[8], sizeof low);
    const auto end = (static_cast<std::uint64_t>(type) << 16) | port;
    return strategy::mix(high ^ strategy::mix(low ^ strategy::mix(end))) | 1;
  }
};

bool is_internet(const socket_address& a) noexcept {
  return (a.bytes.ss_family == AF_INET && a.size >= sizeof(sockaddr_in)) ||
         (a.bytes.ss_family == AF_INET6 && a.size >= offsetof(sockaddr_in6, sin6_scope_id));
}

internet internet_of(int fd, const socket_address& a) noexcept {
  internet found;
  found.type = socket_option(fd, SO_TYPE);
  if (a.bytes.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &a.bytes, sizeof in);
    found.set_old(in.sin_addr.s_addr);
    found.port = in.sin_port;
  } else {
    sockaddr_in6 in{};
    std::memcpy(&in, &a.bytes, sizeof in);
    found.host = in.sin6_addr;
    found.port = in.sin6_port;
  }
  return found;
}

// unix(7): a path ends with its first null byte; an abstract name begins with one, and is as long
// as the address.
struct unix_name {
  std::array<char, sizeof(sockaddr_un::sun_path) + 1> text{};
  std::size_t length = 0;
  bool abstract = false;

  explicit unix_name(const socket_address& a) noexcept {
    if (a.bytes.ss_family != AF_UNIX || a.size <= offsetof(sockaddr_un, sun_path)) return;
    length = std::min<std::size_t>(a.size - offsetof(sockaddr_un, sun_path), text.size() - 1);
    std::memcpy(text.data(),
                reinterpret_cast<const char*>(&a.bytes) +  // NOLINT: its bytes
                    offsetof(sockaddr_un, sun_path),
                length);
    abstract = text[0] == '\0';
    if (!abstract) length = ::strnlen(text.data(), length);
  }

  [[nodiscard]] std::uint64_t place() const noexcept {
    if (length == 0) return 0;
    if (!abstract) return place_of_file();
    std::uint64_t h = length;
    for (std::size_t i = 0; i < length; ++i)
      h = strategy::mix(h ^ static_cast<unsigned char>(text[i]));
    return h | 1;
  }

 private:
  [[nodiscard]] std::uint64_t place_of_file() const noexcept {
    struct stat status {};
    if (sys::call(SYS_newfstatat, AT_FDCWD, sys::address(text.data()), sys::address(&status), 0) <
        0)
      return 0;
    return strategy::mix(execution::object_of(status.st_dev, status.st_ino)) | 1;
  }
};

socket_address ask(long call, int fd) noexcept {
  socket_address found;
  found.size = sizeof found.bytes;
  if (sys::call(call, fd, sys::address(&found.bytes), sys::address(&found.size)) < 0)
    found.size = 0;
  return found;
}

}  // namespace

int socket_option(int fd, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  sys::call(SYS_getsockopt, fd, SOL_SOCKET, option, sys::address(&value), sys::address(&size));
  return value;
}

bool is_tcp(int fd) noexcept { return socket_option(fd, SO_PROTOCOL) == IPPROTO_TCP; }
bool is_udp(int fd) noexcept { return socket_option(fd, SO_PROTOCOL) == IPPROTO_UDP; }

socket_address socket_address::of(const sockaddr* address, socklen_t size) noexcept {
  socket_address found;
  if (address == nullptr || size > sizeof found.bytes) return found;
  std::memcpy(&found.bytes, address, size);
  found.size = size;
  return found;
}

socket_address socket_address::bound(int fd) noexcept { return ask(SYS_getsockname, fd); }
socket_address socket_address::connected(int fd) noexcept { return ask(SYS_getpeername, fd); }

bool socket_address::names_something() const noexcept { return size > sizeof(sa_family_t); }

std::uint64_t place_of(int fd, const socket_address& address) noexcept {
  if (!address.names_something()) return 0;
  return is_internet(address) ? internet_of(fd, address).place() : unix_name(address).place();
}

places places_to_find(int fd, const socket_address& address) noexcept {
  if (!address.names_something()) return {};
  if (!is_internet(address)) return {{unix_name(address).place()}};
  auto to = internet_of(fd, address);
  // Whoever sends to any address of the machine sends to itself.
  if (to.any())
    to.old() ? to.set_old(htonl(INADDR_LOOPBACK)) : void(to.host = IN6ADDR_LOOPBACK_INIT);
  places found{{to.place()}};
  internet any = to;
  any.host = IN6ADDR_ANY_INIT;
  found.all[1] = any.place();
  if (!to.old()) return found;
  any.set_old(INADDR_ANY);
  found.all[2] = any.place();
  return found;
}

std::size_t write_name(int fd, const socket_address& address, std::span<char> buffer) noexcept {
  const auto begin = buffer.begin();
  if (is_internet(address)) {
    const auto port = ntohs(internet_of(fd, address).port);
    if (port == 0) return 0;
    const std::string_view kind = is_tcp(fd) ? "TCP port " : "UDP port ";
    auto end = std::copy(kind.begin(), kind.end(), begin);
    return static_cast<std::size_t>(std::to_chars(&*end, &*buffer.rbegin(), port).ptr - &*begin);
  }
  const unix_name name(address);
  auto end = begin;
  if (name.abstract) *end++ = '@';
  const auto skipped = name.abstract ? 1U : 0U;
  if (name.length <= skipped) return 0;
  end = std::copy_n(name.text.begin() + skipped, std::min(name.length - skipped, buffer.size() - 1),
                    end);
  return static_cast<std::size_t>(end - begin);
}

}  // namespace forkloom::intercept

// Sockets as such: socket, socketpair, bind, listen, shutdown, and the options that make room.
//
// Resource: the socket, by its inode. Two ends of a connection are two resources; which one is the
// other's peer is a model (socket_peers.hpp). Connections are made in socket_connect.cpp, and what
// moves through them in socket_transfer.cpp; a socket is closed as any descriptor.
// Blocks: nothing here.
// Releases: bind and listen let others connect; shutdown is the end of the data for the peer, and
// for whoever waits with the same socket; a larger buffer makes room.
// Events: socket: the result is the descriptor, before and after are the domain and the type; one
// of a pair names the other as its second resource. bind: the second resource is the name in a
// directory. listen: before is the backlog. shutdown: before says which way, the second resource is
// the peer.
// What the scenario's body makes before its processes are forked is known as well.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "framework/execution/inherited_pipes.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/path.hpp"
#include "framework/intercept/socket_peers.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::bind)> real_bind{"bind"};
constinit next<decltype(::listen)> real_listen{"listen"};
constinit next<decltype(::setsockopt)> real_setsockopt{"setsockopt"};
constinit next<decltype(::shutdown)> real_shutdown{"shutdown"};
constinit next<decltype(::socket)> real_socket{"socket"};
constinit next<decltype(::socketpair)> real_socketpair{"socketpair"};

bool in_execution() noexcept { return execution::current_arena() != nullptr; }

// The one that bind made, if it is in a directory.
resource_id entry_of(const socket_address& address) noexcept {
  if (address.bytes.ss_family != AF_UNIX || !address.names_something()) return no_resource;
  sockaddr_un name{};
  std::memcpy(&name, &address.bytes, std::min<std::size_t>(address.size, sizeof name));
  std::array<char, sizeof name.sun_path + 1> path{};
  std::memcpy(path.data(), name.sun_path, sizeof name.sun_path);
  return path[0] == '\0' ? no_resource : execution::entry_of(AT_FDCWD, path.data());
}

void name_bound(int fd, const socket_address& address) noexcept {
  is_bound(fd);
  std::array<char, execution::resource_name_size> text{};
  if (const auto length = write_name(fd, address, text); length > 0)
    execution::name_descriptor(fd, resource_kind::file, {text.data(), length});
}

int bind_here(int fd, const sockaddr* name, socklen_t size, const void* site) noexcept {
  controlled_call call{operation::bind, resource_of(fd), site};
  if (real_bind(fd, name, size) != 0) return call.failed(errno);
  const auto address = socket_address::of(name, size);
  name_bound(fd, address);
  const auto entry = entry_of(address);
  call.involve(entry);
  set_made_alone(entry, true);
  return call.completed(0);
}

void made(int fd, int domain, int type, resource_id pair, const void* site) noexcept {
  auto call = controlled_call::silent(operation::socket, resource_of(fd), site);
  call.involve(pair);
  call.completed(fd, static_cast<std::uint64_t>(domain), static_cast<std::uint64_t>(type));
}

int made_pair(const int* ends, int domain, int type, const void* site) noexcept {
  const auto one = resource_of(ends[0]);
  const auto other = resource_of(ends[1]);
  are_a_pair(one, other);
  if (controlled()) {
    made(ends[0], domain, type, other, site);
    made(ends[1], domain, type, one, site);
  } else {
    execution::note_inherited_pipe(ends[0]);
    execution::note_inherited_pipe(ends[1]);
  }
  return 0;
}

bool may_make_room(int level, int option) noexcept {
  return level == SOL_SOCKET && (option == SO_SNDBUF || option == SO_RCVBUF ||
                                 option == SO_SNDBUFFORCE || option == SO_RCVBUFFORCE);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int bind(int fd, const sockaddr* name, socklen_t size) noexcept {
  if (controlled() && is_socket(fd)) return bind_here(fd, name, size, __builtin_return_address(0));
  const auto result = real_bind(fd, name, size);
  if (result == 0 && in_execution()) name_bound(fd, socket_address::of(name, size));
  return result;
}

int listen(int fd, int backlog) noexcept {
  if (!controlled() || !is_socket(fd)) {
    const auto result = real_listen(fd, backlog);
    if (result == 0 && in_execution()) listens(fd);
    return result;
  }
  controlled_call call{operation::listen, resource_of(fd), __builtin_return_address(0)};
  if (real_listen(fd, backlog) != 0) return call.failed(errno);
  listens(fd);
  return call.completed(0, static_cast<std::uint64_t>(backlog));
}

int setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept {
  const auto result = real_setsockopt(fd, level, option, value, size);
  if (result == 0 && controlled() && may_make_room(level, option))
    changed_at_both_ends(resource_of(fd));
  return result;
}

int shutdown(int fd, int how) noexcept {
  if (!controlled() || !is_socket(fd)) return real_shutdown(fd, how);
  const auto socket = resource_of(fd);
  controlled_call call{operation::shutdown, socket, __builtin_return_address(0)};
  call.involve(peer_of(socket));
  if (real_shutdown(fd, how) != 0) return call.failed(errno);
  changed_at_both_ends(socket);
  return call.completed(0, static_cast<std::uint64_t>(how));
}

int socket(int domain, int type, int protocol) noexcept {
  if (execution::refused(operation::socket, __builtin_return_address(0))) return -1;
  const auto fd = real_socket(domain, type, protocol);
  if (fd < 0 || !in_execution()) return fd;
  if (controlled())
    made(fd, domain, type, no_resource, __builtin_return_address(0));
  else
    execution::note_inherited_pipe(fd);
  return fd;
}

int socketpair(int domain, int type, int protocol, int* ends) noexcept {
  if (execution::refused(operation::socket, __builtin_return_address(0))) return -1;
  const auto result = real_socketpair(domain, type, protocol, ends);
  if (result != 0 || !in_execution()) return result;
  return made_pair(ends, domain, type, __builtin_return_address(0));
}

}  // extern "C"

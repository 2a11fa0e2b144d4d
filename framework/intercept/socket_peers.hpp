// Which socket is at the other end of a connection, and which one has an address. The kernel knows,
// but does not tell; so this is a model, kept in the resources of the sockets. Each socket is a
// resource, by its inode.
//
// Whoever waits for a socket waits for a change of that resource, whichever end made it. Where the
// other end is not known, all sockets count as changed: that costs time, and misses nothing.
// Async-signal-safe: nothing is allocated, no lock is taken, errno stays the caller's.
#pragma once

#include <cstdint>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/socket_address.hpp"

namespace forkloom::intercept {

// The other end. Of one that nobody has accepted yet, it is the one that listens; of one that only
// sends to an address that it was told once, the one that has it. no_resource if it is not known.
[[nodiscard]] resource_id peer_of(resource_id socket) noexcept;

// The two of socketpair(2).
void are_a_pair(resource_id one, resource_id other) noexcept;

// Is bound now, if only as the kernel did so by itself. Its place may be looked up from now on.
void is_bound(int fd) noexcept;
void listens(int fd) noexcept;

// The socket that gets what is sent to an address; no_resource if it is not known.
[[nodiscard]] resource_id listener_at(int fd, const socket_address& address) noexcept;
[[nodiscard]] resource_id receiver_at(int fd, const socket_address& address) noexcept;

// Is, or will be, connected to what was found there.
void is_connected(int fd, resource_id target) noexcept;

// Has been accepted: it and the one that connected first are each other's peers now. Returns that
// one; no_resource if somebody came from outside.
resource_id is_accepted(int listener, int fd) noexcept;

// The socket has changed, for whoever waits for it or for its peers.
void changed_at_both_ends(resource_id socket) noexcept;
void changed_at_all_sockets() noexcept;

// Is it connected to somebody whom Forkloom does not schedule?
[[nodiscard]] bool talks_to_outside(int fd, resource_id socket) noexcept;

// Has somebody connected to it who is not accepted yet?
[[nodiscard]] bool has_pending(resource_id listener) noexcept;

// What is on its way or lies unread, in bytes or messages: see socket_delivery.hpp.
[[nodiscard]] std::uint64_t unread(resource_id socket) noexcept;
void set_unread(resource_id socket, std::uint64_t count) noexcept;

}  // namespace forkloom::intercept

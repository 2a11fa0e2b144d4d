#include "framework/intercept/socket_peers.hpp"

namespace forkloom::intercept {
namespace {

execution::resource_table& table() noexcept { return execution::current_arena()->resources; }

// The model of a socket, in its resource.
class socket_model {
 public:
  explicit socket_model(resource_id socket) noexcept : words_(table()[socket].model) {}

  [[nodiscard]] resource_id peer() const noexcept {
    return words_[0] == 0 ? no_resource : resource_id(words_[0] - 1);
  }
  void set_peer(resource_id peer) noexcept {
    words_[0] = peer == no_resource ? 0 : static_cast<std::uint64_t>(peer) + 1;
    words_[1] = now();
  }

  // The place that it is bound to; 0: none.
  [[nodiscard]] std::uint64_t place() const noexcept { return words_[2]; }
  void set_place(std::uint64_t place) noexcept {
    if (place == words_[2]) return;
    words_[2] = place;
    words_[1] = now();
  }

  [[nodiscard]] bool listening() const noexcept { return (words_[3] & listening_bit) != 0; }
  void set_listening() noexcept {
    words_[3] |= listening_bit;
    words_[1] = now();
  }

  // When it was bound, began to listen, or was connected: what happened last counts.
  [[nodiscard]] std::uint64_t when() const noexcept { return words_[1]; }

  // In bytes or messages; see socket_delivery.hpp.
  [[nodiscard]] std::uint64_t unread() const noexcept { return words_[3] & ~listening_bit; }
  void set_unread(std::uint64_t count) noexcept {
    words_[3] = (words_[3] & listening_bit) | (count & ~listening_bit);
  }

 private:
  static constexpr std::uint64_t listening_bit = std::uint64_t{1} << 63;
  static std::uint64_t now() noexcept { return execution::current_arena()->schedule.step; }

  std::array<std::uint64_t, 4>& words_;
};

template <class Visit>
void for_each_socket(Visit visit) noexcept {
  for (std::size_t i = 0; i < table().size(); ++i)
    if (table()[resource_id(i)].kind == resource_kind::socket) visit(resource_id(i));
}

// A place can be taken again once its socket is gone, so the last one that took it has it.
template <class Counts>
resource_id socket_at(const places& where, Counts counts) noexcept {
  for (const auto place : where.all) {
    auto found = no_resource;
    if (place == 0) continue;
    for_each_socket([&](resource_id id) {
      const socket_model s(id);
      if (s.place() != place || !counts(s)) return;
      if (found == no_resource || s.when() >= socket_model(found).when()) found = id;
    });
    if (found != no_resource) return found;
  }
  return no_resource;
}

// Who has connected to the listener and not been accepted yet. Connections are accepted in the
// order in which they came; those over IP can also be told by their addresses.
resource_id first_pending(resource_id listener, std::uint64_t place) noexcept {
  auto found = no_resource;
  for_each_socket([&](resource_id id) {
    const socket_model s(id);
    if (s.peer() != listener || (place != 0 && s.place() != place)) return;
    if (found == no_resource || s.when() < socket_model(found).when()) found = id;
  });
  return found;
}

}  // namespace

resource_id peer_of(resource_id socket) noexcept {
  return socket == no_resource ? no_resource : socket_model(socket).peer();
}

void are_a_pair(resource_id one, resource_id other) noexcept {
  socket_model(one).set_peer(other);
  socket_model(other).set_peer(one);
}

void is_bound(int fd) noexcept {
  const auto socket = resource_of(fd);
  if (socket == no_resource) return;
  if (const auto place = place_of(fd, socket_address::bound(fd)); place != 0)
    socket_model(socket).set_place(place);
}

void listens(int fd) noexcept {
  is_bound(fd);
  if (const auto socket = resource_of(fd); socket != no_resource)
    socket_model(socket).set_listening();
}

resource_id listener_at(int fd, const socket_address& address) noexcept {
  return socket_at(places_to_find(fd, address),
                   [](const socket_model& s) { return s.listening(); });
}

resource_id receiver_at(int fd, const socket_address& address) noexcept {
  return socket_at(places_to_find(fd, address),
                   [](const socket_model& s) { return !s.listening(); });
}

void is_connected(int fd, resource_id target) noexcept {
  const auto socket = resource_of(fd);
  if (socket == no_resource) return;
  is_bound(fd);
  socket_model(socket).set_peer(target);
}

resource_id is_accepted(int listener, int fd) noexcept {
  const auto socket = resource_of(fd);
  const auto from = socket_address::connected(fd);
  const bool by_address = from.bytes.ss_family == AF_INET || from.bytes.ss_family == AF_INET6;
  const auto peer = first_pending(resource_of(listener), by_address ? place_of(fd, from) : 0);
  if (peer != no_resource) are_a_pair(socket, peer);
  return peer;
}

void changed_at_both_ends(resource_id socket) noexcept {
  execution::changed(socket);
  const auto peer = peer_of(socket);
  if (peer != no_resource && peer_of(peer) == socket) return execution::changed(peer);
  for_each_socket([&](resource_id id) {
    if (id == peer || socket_model(id).peer() == socket) execution::changed(id);
  });
}

void changed_at_all_sockets() noexcept { for_each_socket(execution::changed); }

bool talks_to_outside(int fd, resource_id socket) noexcept {
  if (peer_of(socket) != no_resource) return false;
  const auto peer = socket_address::connected(fd);
  if (peer.size == 0) return false;
  // Messages may be meant for one who came later.
  const auto late = is_stream(fd) ? no_resource : receiver_at(fd, peer);
  if (late != no_resource) socket_model(socket).set_peer(late);
  return late == no_resource;
}

bool has_pending(resource_id listener) noexcept {
  return socket_model(listener).listening() && first_pending(listener, 0) != no_resource;
}

std::uint64_t unread(resource_id socket) noexcept { return socket_model(socket).unread(); }

void set_unread(resource_id socket, std::uint64_t count) noexcept {
  socket_model(socket).set_unread(count);
}

}  // namespace forkloom::intercept

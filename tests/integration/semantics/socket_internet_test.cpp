// TCP and UDP over loopback, in both versions of IP.
#include <netinet/tcp.h>
#include <poll.h>

#include <csignal>
#include <vector>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

template <int family>
using tcp_server = bound<family, SOCK_STREAM>;
template <int family>
using udp_receiver = bound<family, SOCK_DGRAM>;

constexpr std::size_t large = 8'000'000;  // more than both ends of a connection hold

// An address at which nobody is: a port that was somebody's a moment ago.
endpoint nobody(int type) {
  const auto fd = socket(AF_INET, type, 0);
  static_cast<void>(loopback(AF_INET).bind(fd));
  const auto found = bound_to(fd);
  close(fd);
  return found;
}

// How many bytes come until the end of the data.
long receive_all(int fd) {
  std::vector<char> some(70'000);
  long total = 0;
  for (long got = 0; (got = recv(fd, some.data(), some.size(), 0)) > 0;) total += got;
  return total;
}

// Some containers have no IPv6.
bool has(int family) {
  const auto fd = socket(family, SOCK_DGRAM, 0);
  const bool found = loopback(family).bind(fd) == 0;
  close(fd);
  if (!found) WARN("no loopback address of family " << family);
  return found;
}

template <int family>
void a_conversation() {
  if (!has(family)) return;
  using world = tcp_server<family>;
  const auto seen = both<world>({
      [](world& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(0, receive_few(talk, 3, MSG_WAITALL));
        w.note(1, send_text(talk, "yes"));
        w.note(2, receive_one(talk));
        close(talk);
      },
      [](world& w) {
        const auto talk = w.client();
        w.note(3, send_text(talk, "a"));
        w.note(4, send_text(talk, "s"));
        w.note(5, write(talk, "k", 1));
        w.note(6, receive_few(talk, 3, MSG_WAITALL));
        w.note_error(7, close(talk));
      },
  });
  CHECK(seen[0] == letters("ask"));
  CHECK(seen[1] == 3);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == letters("yes"));
  CHECK(seen[7] == 0);
}

template <int family>
void letters_by_udp() {
  if (!has(family)) return;
  using world = udp_receiver<family>;
  const auto seen = both<world>({
      [](world& w) {
        endpoint from;
        std::array<char, 2> bytes{};
        w.next_call_waits();
        w.note(0, recvfrom(w.fd, bytes.data(), bytes.size(), 0, from.get(), &from.size));
        w.call_has_ended();
        w.note(1, sendto(w.fd, "back", 4, 0, from.get(), from.size));
        w.note(2, receive_few(w.fd, 4));
      },
      [](world& w) {
        const auto mine = socket(family, SOCK_DGRAM, 0);
        w.await_waiter();
        w.note(3, sendto(mine, "abc", 3, 0, w.address.get(), w.address.size));
        w.await_its_end();
        w.note(4, receive_few(mine, 8));
        w.note_error(5, w.address.connect(mine));
        w.note(6, send_text(mine, "de"));
        close(mine);
      },
  });
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 4);
  CHECK(seen[2] == letters("de"));
  CHECK(seen[3] == 3);
  CHECK(seen[4] == letters("back"));
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 2);
}

}  // namespace

TEST_CASE("a client and a server talk over TCP, and the end of the data is seen") {
  a_conversation<AF_INET>();
  a_conversation<AF_INET6>();
}

TEST_CASE("datagrams go over UDP to an address and to a connection") {
  letters_by_udp<AF_INET>();
  letters_by_udp<AF_INET6>();
}

TEST_CASE("a send over TCP of more than both ends hold goes on as it is received") {
  using world = tcp_server<AF_INET>;
  const auto seen = both<world>({
      [](world& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(0, receive_all(talk));
        close(talk);
      },
      [](world& w) {
        const auto talk = w.client();
        const std::vector<char> bytes(large);
        w.note(1, send(talk, bytes.data(), bytes.size(), 0));
        close(talk);
      },
  });
  CHECK(seen[0] == long{large});
  CHECK(seen[1] == long{large});
}

TEST_CASE("many small writes without an answer come one after the other") {
  using world = tcp_server<AF_INET>;
  const auto seen = both<world>({
      [](world& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        long right = 0;
        for (long i = 0; i < 50; ++i) right += receive_one(talk) == i + 1 ? 1 : 0;
        w.note(0, right);
        close(talk);
      },
      [](world& w) {
        const auto talk = w.client();
        for (char i = 0; i < 50; ++i) {
          const auto byte = static_cast<char>(i + 1);
          send(talk, &byte, 1, 0);
        }
        int delay = -1;
        socklen_t size = sizeof delay;
        w.note_error(1, getsockopt(talk, IPPROTO_TCP, TCP_NODELAY, &delay, &size));
        w.note(2, delay);
        close(talk);
      },
  });
  CHECK(seen[0] == 50);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("a listener at all addresses gets who connects to one of them") {
  struct everywhere : notes {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    in_port_t port = 0;
    everywhere() {
      sockaddr_in any{};
      any.sin_family = AF_INET;
      bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any);
      listen(fd, 4);
      sockaddr_in found{};
      const auto name = bound_to(fd);
      std::memcpy(&found, &name.bytes, sizeof found);
      port = ntohs(found.sin_port);
    }
    ~everywhere() { close(fd); }
  };
  const auto seen = both<everywhere>({
      [](everywhere& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(0, receive_one(talk));
        close(talk);
      },
      [](everywhere& w) {
        const auto talk = socket(AF_INET, SOCK_STREAM, 0);
        w.note_error(1, loopback(AF_INET, w.port).connect(talk));
        send_text(talk, "x");
        close(talk);
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 0);
}

TEST_CASE("nobody at a port is ECONNREFUSED: of TCP at once, of UDP at the next call") {
  const auto seen = both<notes>({[](notes& w) {
    const auto talk = socket(AF_INET, SOCK_STREAM, 0);
    w.note_error(0, nobody(SOCK_STREAM).connect(talk));
    const auto mail = socket(AF_INET, SOCK_DGRAM, 0);
    w.note_error(1, nobody(SOCK_DGRAM).connect(mail));
    w.note(2, send_text(mail, "x"));
    w.note(3, receive_one(mail));
    w.note_error(4, send_text(talk, "x", MSG_NOSIGNAL));
    w.note(5, receive_one(talk));
    close(talk);
    close(mail);
  }});
  CHECK(seen[0] == ECONNREFUSED);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == -ECONNREFUSED);
  CHECK(seen[4] == EPIPE);
  CHECK(seen[5] == -ENOTCONN);
}

TEST_CASE("a connect that cannot wait is in progress, and a poll tells how it ended") {
  using world = tcp_server<AF_INET>;
  const auto seen = both<world>({
      [](world& w) {
        const auto talk = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        w.note_error(0, w.address.connect(talk));
        pollfd one{talk, POLLOUT, 0};
        w.note(1, poll(&one, 1, -1));
        w.note(2, one.revents);
        int error = -1;
        socklen_t size = sizeof error;
        getsockopt(talk, SOL_SOCKET, SO_ERROR, &error, &size);
        w.note(3, error);
        w.note(4, send_text(talk, "x"));
        close(talk);
        const auto lost = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        w.note_error(5, nobody(SOCK_STREAM).connect(lost));
        one.fd = lost;
        w.note(6, poll(&one, 1, -1));
        getsockopt(lost, SOL_SOCKET, SO_ERROR, &error, &size);
        w.note(7, error);
        close(lost);
      },
      [](world& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(8, receive_one(talk));
        close(talk);
      },
  });
  CHECK(seen[0] == EINPROGRESS);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == POLLOUT);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == EINPROGRESS);
  CHECK(seen[6] == 1);
  CHECK(seen[7] == ECONNREFUSED);
  CHECK(seen[8] == 'x');
}

TEST_CASE("a connect over TCP to a listener with a full queue waits until it accepts one") {
  struct busy : tcp_server<AF_INET> {
    busy() { ::listen(fd, 0); }
  };
  const auto seen = both<busy>({
      [](busy& w) {
        const auto first = w.client();
        const auto second = socket(AF_INET, SOCK_STREAM, 0);
        w.next_call_waits();
        w.note_error(0, w.address.connect(second));
        w.call_has_ended();
        w.note(1, send_text(second, "x"));
        close(first);
        close(second);
      },
      [](busy& w) {
        w.await_waiter();
        close(accept(w.fd, nullptr, nullptr));
        w.await_its_end();
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(2, receive_one(talk));
        close(talk);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'x');
}

TEST_CASE("a half-closed connection still carries the answer") {
  using world = tcp_server<AF_INET>;
  const auto seen = both<world>({
      [](world& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(0, receive_all(talk));
        w.note(1, send_text(talk, "sum"));
        close(talk);
      },
      [](world& w) {
        const auto talk = w.client();
        send_text(talk, "12345");
        w.note_error(2, shutdown(talk, SHUT_WR));
        w.note(3, receive_few(talk, 3, MSG_WAITALL));
        w.note(4, receive_one(talk));
        w.note_error(5, send_text(talk, "x", MSG_NOSIGNAL));
        close(talk);
      },
  });
  CHECK(seen[0] == 5);
  CHECK(seen[1] == 3);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == letters("sum"));
  CHECK(seen[4] == 0);
  CHECK(seen[5] == EPIPE);
}

TEST_CASE("a connection that is aborted is a reset for whoever waits at its other end") {
  using world = tcp_server<AF_INET>;
  const auto seen = both<world>({
      [](world& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.next_call_waits();
        w.note(0, receive_one(talk));
        w.call_has_ended();
        w.note_error(1, send_text(talk, "x", MSG_NOSIGNAL));
        close(talk);
      },
      [](world& w) {
        const auto talk = w.client();
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        setsockopt(talk, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        w.await_waiter();
        w.note_error(2, close(talk));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == -ECONNRESET);
  CHECK(seen[1] == EPIPE);
  CHECK(seen[2] == 0);
}

TEST_CASE("two listeners cannot have one port") {
  using world = tcp_server<AF_INET>;
  const auto seen = both<world>({[](world& w) {
    const auto late = socket(AF_INET, SOCK_STREAM, 0);
    w.note_error(0, w.address.bind(late));
    const auto mail = socket(AF_INET, SOCK_DGRAM, 0);
    w.note_error(1, sendto(mail, "x", 1, 0, nullptr, 0));
    w.note_error(2, connect(late, w.address.get(), 3));
    w.note(3, w.address.connect(late));
    w.note_error(4, w.address.connect(late));
    close(late);
    close(mail);
  }});
  CHECK(seen[0] == EADDRINUSE);
  CHECK(seen[1] == EDESTADDRREQ);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == EISCONN);
}

TEST_CASE("a UDP socket may be connected to one who comes later") {
  struct world : notes, appointment {
    endpoint server = nobody(SOCK_DGRAM);
    endpoint client;
  };
  const auto seen = both<world>({
      [](world& w) {
        const auto mine = socket(AF_INET, SOCK_DGRAM, 0);
        w.note_error(0, loopback(AF_INET).bind(mine));
        w.note_error(1, w.server.connect(mine));
        w.client = bound_to(mine);
        w.next_call_waits();
        w.note(2, receive_one(mine));
        w.call_has_ended();
        close(mine);
      },
      [](world& w) {
        const auto mine = socket(AF_INET, SOCK_DGRAM, 0);
        w.await_waiter();
        w.note_error(3, w.server.bind(mine));
        w.note(4, sendto(mine, "x", 1, 0, w.client.get(), w.client.size));
        w.await_its_end();
        close(mine);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 'x');
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
}

TEST_CASE("a dissolved UDP connection hears everybody again") {
  using world = udp_receiver<AF_INET>;
  const auto seen = both<world>({[](world& w) {
    const auto one = socket(AF_INET, SOCK_DGRAM, 0);
    const auto other = socket(AF_INET, SOCK_DGRAM, 0);
    w.note_error(0, loopback(AF_INET).bind(one));
    w.note_error(1, bound_to(one).connect(w.fd));
    w.note(2, sendto(other, "a", 1, 0, w.address.get(), w.address.size));
    w.note(3, receive_one(w.fd, MSG_DONTWAIT));
    const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
    w.note_error(4, connect(w.fd, &nobody, sizeof nobody));
    w.note_error(7, w.address.bind(w.fd));  // a port that the kernel chose goes with the connection
    w.note(5, sendto(other, "b", 1, 0, w.address.get(), w.address.size));
    w.note(6, receive_one(w.fd));
    close(one);
    close(other);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == 'b');
  CHECK(seen[7] == 0);
}

// Sockets between processes: what fits into a connection, what a datagram loses, and who may have a
// name (unix(7), tcp(7), udp(7)).
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr std::size_t message = 1'000'000;  // more than a connection takes without a reader

// Two ends of a stream, or of messages.
struct ends {
  int client = -1;
  int server = -1;

  explicit ends(int type) {
    std::array<int, 2> both{};
    expect(that(::socketpair(AF_UNIX, type, 0, both.data())) == 0);
    client = both[0];
    server = both[1];
  }
};

void send_all(int to) {
  const std::string bytes(message, 'x');
  expect(that(::send(to, bytes.data(), bytes.size(), 0)) == static_cast<ssize_t>(message));
}

void receive_all(int from) {
  std::string bytes(message, '\0');
  expect(that(::recv(from, bytes.data(), bytes.size(), MSG_WAITALL)) ==
         static_cast<ssize_t>(message));
}

constexpr std::string_view order = "two loaves of rye bread";

void send_order(int to) { ::send(to, order.data(), order.size(), 0); }

constexpr in_port_t port = 4711;

sockaddr_in address() {
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(port);
  return here;
}

template <class Address>
int bind_to(int fd, const Address& where) {
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where);  // NOLINT: bind(2)
}

template <class Address>
int connect_to(int fd, const Address& where) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where);  // NOLINT
}

int listener() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  expect(that(bind_to(fd, address())) == 0);
  expect(that(::listen(fd, 4)) == 0);
  return fd;
}

// Answers one client after the other with what it asks for, in capitals.
void serve(int fd, int clients) {
  for (int i = 0; i < clients; ++i) {
    const int talk = ::accept(fd, nullptr, nullptr);
    char letter = 0;
    while (::recv(talk, &letter, 1, 0) == 1) {
      letter = static_cast<char>(letter - 'a' + 'A');
      ::send(talk, &letter, 1, MSG_NOSIGNAL);
    }
    ::close(talk);
  }
  ::close(fd);
}

void ask(char letter) {
  const int talk = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  expect(that(connect_to(talk, address())) == 0);
  ::send(talk, &letter, 1, MSG_NOSIGNAL);
  char answer = 0;
  ::recv(talk, &answer, 1, 0);
  expect(that(answer) == static_cast<char>(letter - 'a' + 'A'));
  ::close(talk);
}

sockaddr_un socket_file() {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strcpy(name.sun_path, "/dev/shm/forkloom-server");  // NOLINT: it fits
  return name;
}

void make_server(bool tidy) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  expect(that(bind_to(fd, socket_file())) == 0);
  ::close(fd);
  if (tidy) ::unlink(socket_file().sun_path);
}

}  // namespace

FORKLOOM_SCENARIO("a client and a server that both send all before they receive",
                  "[socket][deadlock][broken]", .expects = {violation_kind::deadlock}) {
  const ends pair(SOCK_STREAM);
  const auto talk = [](int own, int other) {
    ::close(other);
    send_all(own);
    receive_all(own);
    ::close(own);
  };
  scenario.process("client", [=] { talk(pair.client, pair.server); });
  scenario.process("server", [=] { talk(pair.server, pair.client); });
}

FORKLOOM_SCENARIO("a server that receives the request before it answers", "[socket][correct]") {
  const ends pair(SOCK_STREAM);
  scenario.process("client", [=] {
    ::close(pair.server);
    send_all(pair.client);
    receive_all(pair.client);
    ::close(pair.client);
  });
  scenario.process("server", [=] {
    ::close(pair.client);
    receive_all(pair.server);
    send_all(pair.server);
    ::close(pair.server);
  });
}

FORKLOOM_SCENARIO("two peers that each wait to hear first", "[socket][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  const ends pair(SOCK_SEQPACKET);
  const auto talk = [](int own, int other) {
    ::close(other);
    char letter = 0;
    ::recv(own, &letter, 1, 0);
    ::send(own, "x", 1, MSG_NOSIGNAL);
    ::close(own);
  };
  scenario.process("one", [=] { talk(pair.client, pair.server); });
  scenario.process("other", [=] { talk(pair.server, pair.client); });
}

FORKLOOM_SCENARIO("two peers of whom one speaks first", "[socket][correct]") {
  const ends pair(SOCK_SEQPACKET);
  scenario.process("one", [=] {
    ::close(pair.server);
    char letter = 0;
    ::send(pair.client, "x", 1, MSG_NOSIGNAL);
    expect(that(::recv(pair.client, &letter, 1, 0)) == 1);
    ::close(pair.client);
  });
  scenario.process("other", [=] {
    ::close(pair.client);
    char letter = 0;
    expect(that(::recv(pair.server, &letter, 1, 0)) == 1);
    ::send(pair.server, "y", 1, MSG_NOSIGNAL);
    ::close(pair.server);
  });
}

FORKLOOM_SCENARIO("a datagram that is read in two halves", "[socket][expectation][broken]",
                  .expects = {violation_kind::expectation, violation_kind::message}) {
  const ends pair(SOCK_DGRAM);
  scenario.process("customer", [=] { send_order(pair.client); });
  scenario.process("baker", [=] {
    std::array<char, order.size()> buffer{};
    const auto half = buffer.size() / 2;
    ::recv(pair.server, buffer.data(), half, 0);
    ::recv(pair.server, buffer.data() + half, buffer.size() - half, MSG_DONTWAIT);
    expect(that(std::string_view(buffer.data(), buffer.size())) == order);
  });
}

FORKLOOM_SCENARIO("a datagram that is asked how long it is", "[socket][correct]") {
  const ends pair(SOCK_DGRAM);
  scenario.process("customer", [=] { send_order(pair.client); });
  scenario.process("baker", [=] {
    const auto size = ::recv(pair.server, nullptr, 0, MSG_PEEK | MSG_TRUNC);
    std::string buffer(static_cast<std::size_t>(size), '\0');
    ::recv(pair.server, buffer.data(), buffer.size(), 0);
    expect(that(std::string_view(buffer)) == order);
  });
}

FORKLOOM_SCENARIO("a client that may come before its server listens", "[socket][tcp][broken]",
                  .expects = {violation_kind::expectation}) {
  scenario.process("server", [] {
    const int fd = listener();
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    serve(fd, 1);
  });
  scenario.process("client", [] { ask('a'); });
}

FORKLOOM_SCENARIO("clients of a server that listens before they come", "[socket][tcp][correct]") {
  const int fd = listener();
  scenario.process("server", [=] { serve(fd, 2); });
  scenario.process("first", [] { ask('a'); });
  scenario.process("second", [] { ask('b'); });
}

FORKLOOM_SCENARIO("two servers that both want one port", "[socket][tcp][broken]",
                  .expects = {violation_kind::expectation}) {
  for (const auto* name : {"one", "other"})
    scenario.process(name, [] {
      const int fd = listener();
      ::close(fd);
    });
}

FORKLOOM_SCENARIO("two servers of whom one leaves the port to the other",
                  "[socket][tcp][correct]") {
  for (const auto* name : {"one", "other"})
    scenario.process(name, [] {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (bind_to(fd, address()) != 0) expect(that(errno) == EADDRINUSE);
      ::close(fd);
    });
}

FORKLOOM_SCENARIO("a socket file that nobody removes", "[socket][leak][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("server", [] { make_server(false); });
}

FORKLOOM_SCENARIO("a socket file that is removed", "[socket][leak][correct]") {
  scenario.process("server", [] { make_server(true); });
}

FORKLOOM_SCENARIO("a connection that nobody closes", "[socket][leak][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("client", [] {
    const int talk = ::socket(AF_UNIX, SOCK_STREAM, 0);
    static_cast<void>(connect_to(talk, socket_file()));
  });
}

FORKLOOM_SCENARIO("a connection that is closed", "[socket][leak][correct]") {
  scenario.process("client", [] {
    const int talk = ::socket(AF_UNIX, SOCK_STREAM, 0);
    static_cast<void>(connect_to(talk, socket_file()));
    ::close(talk);
  });
}

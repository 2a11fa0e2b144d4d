// Stream sockets that have no room, although they hold little.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/integration/faults/campaign.hpp"
#include "tests/integration/faults/ends.hpp"

using namespace forkloom;
using namespace forkloom::faults_test;

namespace {

int error_of(long result) { return result < 0 ? errno : 0; }

struct outcomes {
  int first = 0;
  int second = 0;

  void send_twice(int fd, int flags = 0) {
    first = error_of(::send(fd, "a", 1, flags));
    second = error_of(::send(fd, "b", 1, flags));
  }
};

// Two letters, one at a time.
void receive_twice(int fd) {
  char letter = 0;
  for (const char expected : {'a', 'b'}) {
    expect(that(::recv(fd, &letter, 1, 0)) == 1);
    expect(letter == expected);
  }
}

struct pair : sockets<SOCK_STREAM>, outcomes {};

// A listener on the loopback interface.
struct listener : outcomes {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};

  listener() {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    expect(that(::bind(fd, get(), sizeof address)) == 0);
    socklen_t size = sizeof address;
    expect(that(::getsockname(fd, get(), &size)) == 0);
    expect(that(::listen(fd, 1)) == 0);
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() { ::close(fd); }

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }  // NOLINT: as it is used

  int connected() {
    const int own = ::socket(AF_INET, SOCK_STREAM, 0);
    expect(that(::connect(own, get(), sizeof address)) == 0);
    return own;
  }
};

template <class World>
void both_went(World& w) {
  expect(that(w.first) == 0);
  expect(that(w.second) == 0);
}

}  // namespace

TEST_CASE("a stream socket that has no room says EAGAIN to who does not wait, unless it is empty",
          "[faults]") {
  harmless<pair>(with("full:1"), {[](pair& w) { w.send_twice(w.out(), MSG_DONTWAIT); }},
                 [](pair& w) {
                   expect(that(w.first) == 0);
                   expect(that(w.second) == (faults_happened("full") == 1 ? EAGAIN : 0));
                 });
}

TEST_CASE("who sends to a stream socket without room waits until somebody has received",
          "[faults]") {
  harmless<pair>(with("full:1"),
                 {[](pair& w) { w.send_twice(w.out()); }, [](pair& w) { receive_twice(w.in()); }},
                 both_went<pair>);
}

TEST_CASE("who sends through TCP without room waits until somebody has accepted and received",
          "[faults]") {
  harmless<listener>(with("full:1"),
                     {[](listener& w) {
                        const int own = w.connected();
                        w.send_twice(own);
                        ::close(own);
                      },
                      [](listener& w) {
                        const int own = ::accept(w.fd, nullptr, nullptr);
                        receive_twice(own);
                        ::close(own);
                      }},
                     both_went<listener>);
}

TEST_CASE("who sends to a stream socket without room waits for ever if nobody receives",
          "[faults]") {
  const auto result =
      explored<pair>(with("full:1"), {[](pair& w) { w.send_twice(w.out()); }}, both_went<pair>);
  REQUIRE(result.findings.size() == 1);
  const auto& found = result.findings[0].violations.at(0);
  CHECK(found.kind == violation_kind::deadlock);
  CHECK_THAT(found.message, Catch::Contains("receives"));
}

TEST_CASE("who has a time-out for sending waits for room no longer than that", "[faults]") {
  harmless<pair>(with("full:1"), {[](pair& w) {
                   const timeval patience{.tv_sec = 1, .tv_usec = 0};
                   ::setsockopt(w.out(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
                   w.send_twice(w.out());
                 }},
                 [](pair& w) {
                   expect(that(w.first) == 0);
                   expect(that(w.second) == (faults_happened("full") == 1 ? EAGAIN : 0));
                 });
}

TEST_CASE("who waits for room in a stream socket hears that nobody receives any more", "[faults]") {
  harmless<pair>(with("full:1"),
                 {[](pair& w) {
                    ::close(w.in());
                    w.send_twice(w.out(), MSG_NOSIGNAL);
                  },
                  [](pair& w) { ::close(w.in()); }},
                 [](pair& w) { expect(w.second == 0 || w.second == EPIPE); });
  harmless<listener>(
      with("full:1"),
      {[](listener& w) {
         const int own = w.connected();
         w.send_twice(own, MSG_NOSIGNAL);
         ::close(own);
       },
       [](listener& w) { ::close(::accept(w.fd, nullptr, nullptr)); }},
      [](listener& w) { expect(w.second == 0 || w.second == EPIPE || w.second == ECONNRESET); });
}

namespace {

template <class World>
void never_full(void (*body)(World&)) {
  const auto result = explored<World>(with("full:1"), {body}, [](World&) {});
  CAPTURE(result.message);
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

}  // namespace

TEST_CASE("a stream socket that nothing can be sent through says so, full or not", "[faults]") {
  never_full<pair>([](pair& w) {
    expect(that(::send(w.out(), "a", 1, 0)) == 1);
    ::shutdown(w.out(), SHUT_WR);
    expect(that(error_of(::send(w.out(), "b", 1, MSG_NOSIGNAL))) == EPIPE);
  });
  never_full<pair>([](pair& w) {
    expect(that(::send(w.out(), "a", 1, 0)) == 1);
    const auto* no_message = reinterpret_cast<const msghdr*>(8);  // NOLINT: no place that there is
    expect(that(error_of(::sendmsg(w.out(), no_message, 0))) == EFAULT);
  });
}

TEST_CASE("to send nothing needs no room", "[faults]") {
  never_full<pair>([](pair& w) {
    expect(that(::send(w.out(), "a", 1, 0)) == 1);
    expect(that(::send(w.out(), "", 0, 0)) == 0);
  });
}

TEST_CASE("a connection that leads outside has room, as nobody would see when there is again",
          "[faults]") {
  struct outside : outcomes {};
  const ends made_before(SOCK_STREAM);
  static const ends* connection = nullptr;
  connection = &made_before;
  never_full<outside>([](outside& w) {
    w.send_twice(connection->out());
    receive_twice(connection->in());
  });
}

TEST_CASE("datagrams have room", "[faults]") {
  using datagrams = sockets<SOCK_DGRAM>;
  never_full<datagrams>([](datagrams& w) {
    for (int i = 0; i < 2; ++i) expect(that(::send(w.out(), "a", 1, 0)) == 1);
  });
}

// What TCP does by the clock on the wall: closes that linger, and connections that wait for room
// while their program does something else. Under control both take virtual time.
#include <poll.h>

#include <vector>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

// A listener whose connections hold little.
struct small_server : bound<AF_INET, SOCK_STREAM> {
  std::atomic<bool> closed{false};
  long sent = 0;

  small_server() { set(fd, SO_RCVBUF, 4096); }

  static void set(int fd, int option, int value) {
    setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
  }

  // A connection that holds all that it can.
  [[nodiscard]] int full_client() {
    const auto talk = client();
    set(talk, SO_SNDBUF, 4096);
    const std::vector<char> some(1000);
    for (long now = 0; (now = send(talk, some.data(), some.size(), MSG_DONTWAIT)) > 0;) sent += now;
    return talk;
  }
};

void linger_for(int fd, int seconds) {
  const linger how{.l_onoff = seconds > 0 ? 1 : 0, .l_linger = seconds};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &how, sizeof how);
}

long receive_all(int fd) {
  std::vector<char> some(70'000);
  long total = 0;
  for (long got = 0; (got = recv(fd, some.data(), some.size(), 0)) > 0;) total += got;
  return total;
}

int error_of(int fd) {
  int error = -1;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

// A listener that holds one connection that it has not accepted.
struct narrow_server : bound<AF_INET, SOCK_STREAM> {
  narrow_server() { listen(fd, 0); }

  // Asks for a connection, and does not wait for it. The error that it said, or 0.
  [[nodiscard]] long ask(int mine) const {
    fcntl(mine, F_SETFL, O_NONBLOCK);
    return address.connect(mine) == 0 ? 0 : errno;
  }
};

short ready_for_writing(int fd, int timeout) {
  pollfd one{fd, POLLOUT, 0};
  poll(&one, 1, timeout);
  return one.revents;
}

}  // namespace

TEST_CASE("a close that lingers ends when the peer has read everything") {
  const auto seen = both<small_server>({
      [](small_server& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.await_waiter();
        w.note(0, w.closed);
        w.note(1, receive_all(talk) == w.sent);
        close(talk);
      },
      [](small_server& w) {
        const auto talk = w.full_client();
        w.note(2, w.sent > 0);
        linger_for(talk, 60);
        w.next_call_waits();
        w.note_error(3, close(talk));
        w.closed = true;
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}

TEST_CASE("a close that lingers ends when its time is over, and what was sent comes all the same") {
  const auto seen = both<small_server>({
      [](small_server& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.await_its_end();
        w.note(0, receive_all(talk) == w.sent);
        close(talk);
      },
      [](small_server& w) {
        const auto talk = w.full_client();
        linger_for(talk, 1);
        timespec before{}, after{};
        clock_gettime(CLOCK_MONOTONIC, &before);
        w.note_error(2, close(talk));
        clock_gettime(CLOCK_MONOTONIC, &after);
        const auto ms =
            (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1'000'000;
        w.note(3, ms >= 990);
        w.call_has_ended();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("only the close of the last descriptor lingers, and only if something is on its way") {
  const auto seen = both<small_server>({[](small_server& w) {
    const auto talk = w.full_client();
    const auto peer = accept(w.fd, nullptr, nullptr);
    const auto copy = dup(talk);
    linger_for(talk, 3600);
    w.note_error(0, close(talk));
    linger how{};
    socklen_t size = sizeof how;
    getsockopt(copy, SOL_SOCKET, SO_LINGER, &how, &size);
    w.note(1, how.l_linger);
    std::vector<char> all(static_cast<std::size_t>(w.sent));
    w.note(2, recv(peer, all.data(), all.size(), MSG_WAITALL) == w.sent);
    w.note_error(3, close(copy));
    w.note(4, receive_one(peer));
    close(peer);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 3600);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("a connection that nobody waits for is made when the listener has room") {
  const auto seen = both<narrow_server>({
      [](narrow_server& w) {
        w.await_waiter();
        const auto first = accept(w.fd, nullptr, nullptr);
        const auto second = accept(w.fd, nullptr, nullptr);
        w.note(0, receive_one(second));
        w.await_its_end();
        close(first);
        close(second);
      },
      [](narrow_server& w) {
        const auto first = w.client();
        const auto second = socket(AF_INET, SOCK_STREAM, 0);
        w.note(1, w.ask(second));
        w.note(2, ready_for_writing(second, 0));
        w.note(3, w.ask(second));
        w.next_call_waits();
        w.note(4, ready_for_writing(second, -1));
        w.note(5, error_of(second));
        w.note(6, send_text(second, "x"));
        w.call_has_ended();
        close(first);
        close(second);
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == EINPROGRESS);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == EALREADY);
  CHECK(seen[4] == POLLOUT);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 1);
}

TEST_CASE("a connection that nobody waits for is refused when the listener is closed or dies") {
  const auto seen = both<narrow_server>({
      [](narrow_server& w) {
        w.await_waiter();
        _exit(0);
      },
      [](narrow_server& w) {
        const auto first = w.client();
        const auto second = socket(AF_INET, SOCK_STREAM, 0);
        w.note(0, w.ask(second));
        close(w.fd);
        w.next_call_waits();
        w.note(1, (ready_for_writing(second, -1) & (POLLERR | POLLHUP)) != 0);
        w.note(2, error_of(second));
        close(first);
        close(second);
      },
  });
  CHECK(seen[0] == EINPROGRESS);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == ECONNREFUSED);
}

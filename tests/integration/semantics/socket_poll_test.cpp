// Waiting for sockets with poll.
#include <poll.h>

#include <vector>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

using server = bound<AF_UNIX, SOCK_STREAM>;

short revents(int fd, short wanted, int timeout = 0) {
  pollfd one{fd, wanted, 0};
  return poll(&one, 1, timeout) < 0 ? short{-1} : one.revents;
}

template <class World>
void data_ends_a_poll() {
  const auto seen = both<World>({
      [](World& w) {
        w.next_call_waits();
        w.note(0, revents(w.one, POLLIN, -1));
        w.call_has_ended();
        w.note(1, receive_one(w.one));
      },
      [](World& w) {
        w.note(2, revents(w.other, POLLIN | POLLOUT));
        w.await_waiter();
        send_text(w.other, "x");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLIN);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == POLLOUT);
}

}  // namespace

TEST_CASE("a poll of a socket that waits for data ends when it comes") {
  data_ends_a_poll<streams>();
  data_ends_a_poll<datagrams>();
  data_ends_a_poll<packets>();
}

TEST_CASE("a poll of a socket that waits for room ends when the peer makes it") {
  const auto seen = both<streams>({
      [](streams& w) {
        const std::vector<char> bytes(2'000'000);
        send(w.one, bytes.data(), bytes.size(), MSG_DONTWAIT);
        w.next_call_waits();
        w.note(0, revents(w.one, POLLOUT, -1));
        w.call_has_ended();
      },
      [](streams& w) {
        w.await_waiter();
        std::vector<char> bytes(2'000'000);
        recv(w.other, bytes.data(), bytes.size(), 0);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLOUT);
}

TEST_CASE("a poll of a listener ends when somebody connects") {
  const auto seen = both<server>({
      [](server& w) {
        w.next_call_waits();
        w.note(0, revents(w.fd, POLLIN, -1));
        w.call_has_ended();
        fcntl(w.fd, F_SETFL, O_NONBLOCK);
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(1, receive_one(talk));
        close(talk);
      },
      [](server& w) {
        w.await_waiter();
        const auto talk = w.client();
        w.await_its_end();
        send_text(talk, "x");
        close(talk);
      },
  });
  CHECK(seen[0] == POLLIN);
  CHECK(seen[1] == 'x');
}

TEST_CASE("a poll of a socket hears the peer's hang-up, and its half") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.next_call_waits();
        w.note(0, revents(w.one, POLLRDHUP, -1));
        w.call_has_ended();
        w.note(1, revents(w.one, 0, -1));
      },
      [](streams& w) {
        w.other_only();
        w.await_waiter();
        shutdown(w.other, SHUT_WR);
        w.await_its_end();
        close(w.other);
      },
  });
  CHECK(seen[0] == POLLRDHUP);
  CHECK(seen[1] == POLLHUP);
}

TEST_CASE("a poll of connections over TCP and UDP ends when data comes") {
  struct world : bound<AF_INET, SOCK_STREAM> {
    bound<AF_INET, SOCK_DGRAM> mail;
    void forked() {
      bound<AF_INET, SOCK_STREAM>::forked();
      mail.forked();
    }
  };
  const auto seen = both<world>({
      [](world& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        std::array<pollfd, 2> set{{{talk, POLLIN, 0}, {w.mail.fd, POLLIN, 0}}};
        w.next_call_waits();
        w.note(0, poll(set.data(), set.size(), -1));
        w.call_has_ended();
        w.note(1, set[1].revents);
        w.note(2, receive_one(w.mail.fd));
        w.next_call_waits();
        w.note(3, poll(set.data(), set.size(), -1));
        w.note(4, set[0].revents);
        w.note(5, receive_one(talk));
        close(talk);
      },
      [](world& w) {
        const auto talk = w.client();
        const auto letter = socket(AF_INET, SOCK_DGRAM, 0);
        w.await_waiter();
        sendto(letter, "u", 1, 0, w.mail.address.get(), w.mail.address.size);
        w.await_its_end();
        w.await_waiter();
        send_text(talk, "t");
        close(talk);
        close(letter);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == POLLIN);
  CHECK(seen[2] == 'u');
  CHECK(seen[3] == 1);
  CHECK(seen[5] == 't');
}

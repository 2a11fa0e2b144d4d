// How streams end: close, shutdown, EPIPE with its signal, and resets.
#include <csignal>
#include <vector>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

// More than any buffer of a Unix socket holds.
constexpr std::size_t large = 2'000'000;

std::atomic<int> pipe_signals{0};
void count_signal(int /*signal*/) { ++pipe_signals; }

}  // namespace

TEST_CASE("a receiver that waits finds the end of the data when its peer is closed") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.call_has_ended();
        w.note(1, receive_one(w.one));
      },
      [](streams& w) {
        w.other_only();
        w.await_waiter();
        w.note_error(2, close(w.other));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("a receiver that waits finds the end of the data when its peer's process ends") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.next_call_waits();
        w.note(0, receive_one(w.one));
      },
      [](streams& w) {
        w.other_only();
        w.await_waiter();
      },
  });
  CHECK(seen[0] == 0);
}

TEST_CASE("the end of the data comes after the data") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        for (std::size_t i = 0; i < 3; ++i) w.note(i, receive_one(w.one));
      },
      [](streams& w) {
        w.other_only();
        send_text(w.other, "ab");
      },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 'b');
  CHECK(seen[2] == 0);
}

TEST_CASE("who sends to a peer that is gone gets EPIPE, and SIGPIPE unless it says not to") {
  const auto seen = both<streams>({[](streams& w) {
    pipe_signals = 0;
    signal(SIGPIPE, count_signal);
    w.close_other_and_see_it_gone();
    w.note_error(0, send_text(w.one, "x", MSG_NOSIGNAL));
    w.note(1, pipe_signals);
    w.note_error(2, send_text(w.one, "x"));
    w.note(3, pipe_signals);
    w.note_error(4, write(w.one, "x", 1));
    w.note(5, pipe_signals);
  }});
  CHECK(seen[0] == EPIPE);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EPIPE);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == EPIPE);
  CHECK(seen[5] == 2);
}

TEST_CASE("SIGPIPE kills who does not expect it") {
  both<streams>({[](streams& w) {
                  signal(SIGPIPE, SIG_DFL);
                  w.close_other_and_see_it_gone();
                  send_text(w.one, "x");
                  w.note(0, 1);
                }},
                deaths::wanted);
}

TEST_CASE("a send whose peer goes in the middle of it says how much went, and does not signal") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        pipe_signals = 0;
        signal(SIGPIPE, count_signal);
        const std::vector<char> bytes(large);
        w.next_call_waits();
        const auto sent = send(w.one, bytes.data(), bytes.size(), 0);
        w.note(0, sent > 0 && sent < long{large});
        w.note(1, pipe_signals);
        w.note_error(2, send_text(w.one, "x"));
        w.note(3, pipe_signals);
      },
      [](streams& w) {
        w.other_only();
        w.await_waiter();
        close(w.other);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EPIPE);
  CHECK(seen[3] == 1);
}

TEST_CASE("a peer that closes without having read is a reset") {
  const auto seen = both<streams>({[](streams& w) {
    send_text(w.one, "unread");
    close(w.other);
    w.note(0, receive_one(w.one));
    w.note(1, receive_one(w.one));
  }});
  CHECK(seen[0] == -ECONNRESET);
  CHECK(seen[1] == 0);
}

TEST_CASE("a shutdown for writing is the end of the data for the peer, who may still send") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.call_has_ended();
        w.note(1, send_text(w.one, "y"));
      },
      [](streams& w) {
        w.await_waiter();
        w.note_error(2, shutdown(w.other, SHUT_WR));
        w.note_error(3, send_text(w.other, "x", MSG_NOSIGNAL));
        w.await_its_end();
        w.note(4, receive_one(w.other));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == EPIPE);
  CHECK(seen[4] == 'y');
}

TEST_CASE("a shutdown for reading lets go whoever waits with the same socket") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.call_has_ended();
      },
      [](streams& w) {
        w.await_waiter();
        w.note_error(1, shutdown(w.one, SHUT_RD));
        w.note_error(2, send_text(w.other, "x", MSG_NOSIGNAL));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EPIPE);
}

TEST_CASE("a duplicate keeps a connection open, and dup2 in its place closes it") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.note(1, receive_one(w.one));
        w.call_has_ended();
      },
      [](streams& w) {
        w.other_only();
        const auto copy = dup(w.other);
        close(w.other);
        w.await_waiter();
        send_text(copy, "x");
        const auto null = open("/dev/null", O_RDONLY);
        w.note(2, dup2(null, copy) == copy);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

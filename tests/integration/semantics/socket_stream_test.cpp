// Streams between two Unix sockets: send and receive in all their forms, read and write.
#include <sys/uio.h>

#include <vector>

#include "tests/integration/semantics/sockets.hpp"

// What recv() and recvfrom() are when their caller was built with _FORTIFY_SOURCE.
extern "C" {
ssize_t __recv_chk(int fd, void* buffer, std::size_t size, std::size_t room, int flags);  // NOLINT
ssize_t __recvfrom_chk(int fd, void* buffer, std::size_t size, std::size_t room,          // NOLINT
                       int flags, sockaddr* from, socklen_t* from_size);
}

namespace {

using namespace forkloom::semantics;

// More than any buffer of a Unix socket holds.
constexpr std::size_t large = 2'000'000;

char pattern(std::size_t position) { return static_cast<char>(position % 251); }

std::vector<char> patterned(std::size_t size) {
  std::vector<char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = pattern(i);
  return bytes;
}

// Receives to the end. How much came, or -1 if it was not the pattern.
long receive_pattern(int fd) {
  std::vector<char> some(60'000);
  std::size_t total = 0;
  for (;;) {
    const auto got = recv(fd, some.data(), some.size(), 0);
    if (got <= 0) return got == 0 ? static_cast<long>(total) : -1;
    for (long i = 0; i < got; ++i)
      if (some[static_cast<std::size_t>(i)] != pattern(total++)) return -1;
  }
}

}  // namespace

TEST_CASE("a receiver that waits gets what its peer sends") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.call_has_ended();
      },
      [](streams& w) {
        w.await_waiter();
        w.note(1, send_text(w.other, "x"));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 1);
}

TEST_CASE("a stream has no boundaries: two sends are received as one, one as two") {
  const auto seen = both<streams>({[](streams& w) {
    send_text(w.one, "ab");
    send_text(w.one, "cd");
    w.note(0, receive_few(w.other, 3));
    w.note(1, receive_few(w.other, 3));
  }});
  CHECK(seen[0] == letters("abc"));
  CHECK(seen[1] == letters("d"));
}

TEST_CASE("both directions of a pair are streams of their own") {
  const auto seen = both<streams>({
      [](streams& w) {
        send_text(w.one, "p");
        w.note(0, receive_one(w.one));
      },
      [](streams& w) {
        w.note(1, receive_one(w.other));
        send_text(w.other, "q");
      },
  });
  CHECK(seen[0] == 'q');
  CHECK(seen[1] == 'p');
}

TEST_CASE("a send of more than fits goes on until all is sent") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.note(0, receive_pattern(w.one));
      },
      [](streams& w) {
        w.other_only();
        const auto bytes = patterned(large);
        w.note(1, send(w.other, bytes.data(), bytes.size(), 0));
      },
  });
  CHECK(seen[0] == long{large});
  CHECK(seen[1] == long{large});
}

TEST_CASE("a writev of more than fits goes on until all parts are written") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.note(0, receive_pattern(w.one));
      },
      [](streams& w) {
        w.other_only();
        auto bytes = patterned(large);
        const std::array<iovec, 4> parts{{{bytes.data(), 10},
                                          {nullptr, 0},
                                          {bytes.data() + 10, large - 20},
                                          {bytes.data() + large - 10, 10}}};
        w.note(1, writev(w.other, parts.data(), parts.size()));
      },
  });
  CHECK(seen[0] == long{large});
  CHECK(seen[1] == long{large});
}

TEST_CASE("a send that cannot wait sends what fits, and then nothing") {
  const auto seen = both<streams>({[](streams& w) {
    const auto bytes = patterned(large);
    const auto sent = send(w.one, bytes.data(), bytes.size(), MSG_DONTWAIT);
    w.note(0, sent > 0 && sent < long{large});
    w.note_error(1, send(w.one, bytes.data(), bytes.size(), MSG_DONTWAIT));
    fcntl(w.one, F_SETFL, O_NONBLOCK);
    w.note_error(2, send(w.one, bytes.data(), bytes.size(), 0));
    w.note_error(3, write(w.one, bytes.data(), bytes.size()));
    close(w.one);
    w.note(4, receive_pattern(w.other) == sent);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == EAGAIN);
  CHECK(seen[3] == EAGAIN);
  CHECK(seen[4] == 1);
}

TEST_CASE("a receive that cannot wait finds nothing to receive") {
  const auto seen = both<streams>({[](streams& w) {
    w.note(0, receive_one(w.one, MSG_DONTWAIT));
    fcntl(w.one, F_SETFL, O_NONBLOCK);
    w.note(1, receive_one(w.one));
    w.note(2, read_one(w.one));
    w.note(3, fcntl(w.one, F_GETFL) == (O_NONBLOCK | O_RDWR));
    fcntl(w.one, F_SETFL, 0);
    w.note(4, fcntl(w.one, F_GETFL) == O_RDWR);
    w.note(5, receive_one(w.one, MSG_OOB) < 0);
  }});
  CHECK(seen[0] == -EAGAIN);
  CHECK(seen[1] == -EAGAIN);
  CHECK(seen[2] == -EAGAIN);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 1);
}

TEST_CASE("a look takes nothing away, and waits as well") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.next_call_waits();
        w.note(0, receive_one(w.one, MSG_PEEK));
        w.call_has_ended();
        w.note(1, receive_one(w.one, MSG_PEEK));
        w.note(2, receive_one(w.one));
        w.note(3, receive_one(w.one, MSG_PEEK | MSG_DONTWAIT));
      },
      [](streams& w) {
        w.await_waiter();
        send_text(w.other, "x");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 'x');
  CHECK(seen[3] == -EAGAIN);
}

TEST_CASE("MSG_WAITALL waits for all of it, in however many pieces it comes") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.note(0, receive_few(w.one, 6, MSG_WAITALL));
        w.next_call_waits();
        w.note(1, receive_few(w.one, 3, MSG_WAITALL));
        w.call_has_ended();
        send_text(w.other, "j");
        w.note(2, receive_few(w.one, 3, MSG_WAITALL | MSG_PEEK));  // for a look it does not wait
      },
      [](streams& w) {
        for (const auto* piece : {"ab", "c", "def", "g"}) send_text(w.other, piece);
        w.await_waiter();
        send_text(w.other, "hi");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == letters("abcdef"));
  CHECK(seen[1] == letters("ghi"));
  CHECK(seen[2] == 'j');
}

TEST_CASE("MSG_WAITALL with several parts fills one after the other") {
  const auto seen = both<streams>({
      [](streams& w) {
        std::array<char, 3> first{};
        std::array<char, 3> second{};
        std::array<iovec, 2> parts{{{first.data(), 3}, {second.data(), 3}}};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        w.note(0, recvmsg(w.one, &message, MSG_WAITALL));
        w.note(1, letters(std::string(first.data(), 3).c_str()));
        w.note(2, letters(std::string(second.data(), 3).c_str()));
      },
      [](streams& w) {
        for (const auto* piece : {"a", "bcd", "ef"}) send_text(w.other, piece);
      },
  });
  CHECK(seen[0] == 6);
  CHECK(seen[1] == letters("abc"));
  CHECK(seen[2] == letters("def"));
}

TEST_CASE("MSG_WAITALL gives what there is at the end of the data") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.note(0, receive_few(w.one, 6, MSG_WAITALL | MSG_PEEK));
        w.note(1, receive_few(w.one, 6, MSG_WAITALL));
        w.note(2, receive_few(w.one, 6, MSG_WAITALL));
      },
      [](streams& w) {
        w.other_only();
        send_text(w.other, "ab");
      },
  });
  CHECK(seen[0] == letters("ab"));
  CHECK(seen[1] == letters("ab"));
  CHECK(seen[2] == 0);
}

TEST_CASE("read and readv take from a socket, write and writev put into it") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.next_call_waits();
        w.note(0, read_one(w.one));
        std::array<char, 2> first{};
        std::array<char, 2> second{};
        const std::array<iovec, 2> parts{{{first.data(), 2}, {second.data(), 2}}};
        w.call_has_ended();
        w.note(1, readv(w.one, parts.data(), parts.size()));
        w.note(2, first[1]);
        w.note(3, second[0]);
        w.note(4, read(w.one, first.data(), 0));
      },
      [](streams& w) {
        w.await_waiter();
        std::string text = "xabc";
        const std::array<iovec, 2> parts{{{text.data(), 2}, {text.data() + 2, 2}}};
        w.note(5, writev(w.other, parts.data(), parts.size()));
        w.note(6, write(w.other, "", 0));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 3);
  CHECK(seen[2] == 'b');
  CHECK(seen[3] == 'c');
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 4);
  CHECK(seen[6] == 0);
}

TEST_CASE("the fortified forms receive as the plain ones do") {
  const auto seen = both<streams>({
      [](streams& w) {
        std::array<char, 4> bytes{};
        w.next_call_waits();
        w.note(0, __recv_chk(w.one, bytes.data(), 1, bytes.size(), 0));
        w.call_has_ended();
        w.note(1, __recvfrom_chk(w.one, bytes.data(), 4, bytes.size(), 0, nullptr, nullptr));
      },
      [](streams& w) {
        w.await_waiter();
        send_text(w.other, "xyz");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 2);
}

TEST_CASE("SO_RCVLOWAT keeps a receiver waiting until there is as much") {
  const auto seen = both<streams>({
      [](streams& w) {
        const int least = 3;
        setsockopt(w.one, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
        w.next_call_waits();
        w.note(0, receive_few(w.one, 8));
        w.call_has_ended();
      },
      [](streams& w) {
        w.await_waiter();
        send_text(w.other, "ab");
        w.await_waiter();
        send_text(w.other, "c");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == letters("abc"));
}

TEST_CASE("two receivers with one socket get one message each") {
  const auto seen = both<streams>({
      [](streams& w) { w.note(0, receive_one(w.one)); },
      [](streams& w) { w.note(1, receive_one(w.one)); },
      [](streams& w) {
        send_text(w.other, "x");
        send_text(w.other, "x");
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 'x');
}

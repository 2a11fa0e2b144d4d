// Messages: datagrams and sequenced packets between Unix sockets, and many messages by one call.
#include <csignal>
#include <vector>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

// A receiver with a name, and no connection.
using mailbox = bound<AF_UNIX, SOCK_DGRAM>;

long send_to(int fd, const endpoint& where, const char* text, int flags = 0) {
  return sendto(fd, text, std::strlen(text), flags, where.get(), where.size);
}

// Until it would wait. How many went.
long fill(int fd) {
  long count = 0;
  while (send_text(fd, "x", MSG_DONTWAIT) == 1) ++count;
  return count;
}

struct batch {
  static constexpr unsigned size = 3;
  std::array<std::array<char, 4>, size> texts{};
  std::array<iovec, size> parts{};
  std::array<mmsghdr, size> messages{};

  explicit batch(const char* letters = "abc") {
    for (unsigned i = 0; i < size; ++i) {
      texts[i].fill(letters[i]);
      parts[i] = {texts[i].data(), i + 1};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

}  // namespace

TEST_CASE("a message is received whole or cut, and the rest of it is gone") {
  const auto seen = both<datagrams>({
      [](datagrams& w) {
        w.next_call_waits();
        w.note(0, receive_few(w.one, 2));
        w.call_has_ended();
        w.note(1, receive_few(w.one, 4));
      },
      [](datagrams& w) {
        w.await_waiter();
        send_text(w.other, "abc");
        send_text(w.other, "de");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == letters("ab"));
  CHECK(seen[1] == letters("de"));
}

TEST_CASE("MSG_TRUNC tells how long a message was, and recvmsg that it was cut") {
  const auto seen = both<datagrams>({[](datagrams& w) {
    for (int i = 0; i < 3; ++i) send_text(w.other, "abcdef");
    std::array<char, 2> bytes{};
    w.note(0, recv(w.one, bytes.data(), bytes.size(), MSG_TRUNC | MSG_PEEK));
    w.note(1, recv(w.one, bytes.data(), bytes.size(), MSG_TRUNC));
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    w.note(2, recvmsg(w.one, &message, 0));
    w.note(3, message.msg_flags);
    w.note(4, read(w.one, bytes.data(), 0));
    w.note(5, read(w.one, bytes.data(), bytes.size()));
  }});
  CHECK(seen[0] == 6);
  CHECK(seen[1] == 6);
  CHECK(seen[2] == 2);
  CHECK(seen[3] == MSG_TRUNC);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 2);
}

TEST_CASE("a message of no bytes is a message") {
  const auto seen = both<datagrams>({
      [](datagrams& w) {
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.call_has_ended();
        w.note(1, receive_one(w.one));
      },
      [](datagrams& w) {
        w.await_waiter();
        w.note(2, send(w.other, "", 0, 0));
        send_text(w.other, "x");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 0);
}

TEST_CASE("a sender of datagrams waits until the receiver makes room") {
  const auto seen = both<datagrams>({
      [](datagrams& w) {
        w.note(0, fill(w.one) > 0);
        w.next_call_waits();
        w.note(1, send_text(w.one, "y"));
        w.call_has_ended();
      },
      [](datagrams& w) {
        w.await_waiter();
        w.note(2, receive_one(w.other));
        while (receive_one(w.other) == 'x') continue;
        w.note(3, receive_one(w.other, MSG_DONTWAIT));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'x');
  CHECK(seen[3] == -EAGAIN);
}

TEST_CASE("a message that no buffer can hold says EMSGSIZE, and nothing of it goes") {
  const auto seen = both<packets>({[](packets& w) {
    const std::vector<char> bytes(4'000'000);
    w.note_error(0, send(w.one, bytes.data(), bytes.size(), 0));
    w.note_error(1, write(w.one, bytes.data(), bytes.size()));
    w.note(2, receive_one(w.other, MSG_DONTWAIT));
  }});
  CHECK(seen[0] == EMSGSIZE);
  CHECK(seen[1] == EMSGSIZE);
  CHECK(seen[2] == -EAGAIN);
}

TEST_CASE("sequenced packets keep their boundaries and have an end") {
  const auto seen = both<packets>({
      [](packets& w) {
        w.one_only();
        w.note(0, receive_few(w.one, 8, MSG_WAITALL));
        w.note(1, receive_few(w.one, 1));
        w.note(2, receive_few(w.one, 8));
        w.note(3, receive_one(w.one));
      },
      [](packets& w) {
        w.other_only();
        w.note(4, send_text(w.other, "ab"));
        w.note(5, write(w.other, "cd", 2));
        w.note(6, send_text(w.other, "ef"));
      },
  });
  CHECK(seen[0] == letters("ab"));
  CHECK(seen[1] == letters("c"));
  CHECK(seen[2] == letters("ef"));
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 2);
  CHECK(seen[5] == 2);
  CHECK(seen[6] == 2);
}

TEST_CASE("a large packet waits for room for all of it") {
  const auto seen = both<packets>({
      [](packets& w) {
        const std::vector<char> bytes(60'000);
        long whole = 0;
        for (int i = 0; i < 10; ++i) whole += send(w.one, bytes.data(), bytes.size(), 0) == 60'000;
        w.note(0, whole);
      },
      [](packets& w) {
        std::vector<char> bytes(100'000);
        long whole = 0;
        for (int i = 0; i < 10; ++i)
          whole += recv(w.other, bytes.data(), bytes.size(), 0) == 60'000;
        w.note(1, whole);
      },
  });
  CHECK(seen[0] == 10);
  CHECK(seen[1] == 10);
}

TEST_CASE("a datagram to a name reaches whoever has it, and tells where it came from") {
  const auto seen = both<mailbox>({
      [](mailbox& w) {
        endpoint from;
        std::array<char, 4> bytes{};
        w.next_call_waits();
        w.note(0, recvfrom(w.fd, bytes.data(), bytes.size(), 0, from.get(), &from.size));
        w.call_has_ended();
        w.note(1, from.size > sizeof(sa_family_t));
        w.note(2, send_to(w.fd, from, "back"));
      },
      [](mailbox& w) {
        const auto mine = socket(AF_UNIX, SOCK_DGRAM, 0);
        const auto name = abstract_name("sender");
        w.await_waiter();
        w.note_error(3, name.bind(mine));
        w.note(4, send_to(mine, w.address, "abc"));
        w.note(5, receive_few(mine, 4));
        w.await_its_end();
        close(mine);
      },
  });
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 4);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 3);
  CHECK(seen[5] == letters("back"));
}

TEST_CASE("a sender to a name waits until its owner makes room") {
  const auto seen = both<mailbox>({
      [](mailbox& w) {
        const auto mine = socket(AF_UNIX, SOCK_DGRAM, 0);
        while (send_to(mine, w.address, "x", MSG_DONTWAIT) == 1) continue;
        w.next_call_waits();
        w.note(0, send_to(mine, w.address, "y"));
        w.call_has_ended();
        close(mine);
      },
      [](mailbox& w) {
        w.await_waiter();
        w.note(1, receive_one(w.fd));
        while (receive_one(w.fd) == 'x') continue;
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'x');
}

TEST_CASE("a name that the kernel chose leads to its owner") {
  struct world : notes, appointment {
    endpoint chosen;
  };
  const auto seen = both<world>({
      [](world& w) {
        const auto mine = socket(AF_UNIX, SOCK_DGRAM, 0);
        endpoint any;
        any.bytes.ss_family = AF_UNIX;
        any.size = sizeof(sa_family_t);
        w.note_error(0, any.bind(mine));
        w.chosen = bound_to(mine);
        w.next_call_waits();
        w.note(1, receive_one(mine));
        w.call_has_ended();
        close(mine);
      },
      [](world& w) {
        const auto mine = socket(AF_UNIX, SOCK_DGRAM, 0);
        w.await_waiter();
        w.note(2, send_to(mine, w.chosen, "x"));
        w.await_its_end();
        close(mine);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 1);
}

TEST_CASE("a datagram to nobody, or to one that is connected to somebody else, is refused") {
  const auto seen = both<mailbox>({[](mailbox& w) {
    const auto mine = socket(AF_UNIX, SOCK_DGRAM, 0);
    const auto third = socket(AF_UNIX, SOCK_DGRAM, 0);
    w.note_error(0, send_to(mine, abstract_name("nobody"), "x"));
    w.note_error(1, send_text(mine, "x"));
    w.note_error(8, abstract_name("third").bind(third));
    w.note_error(9, abstract_name("third").connect(w.fd));
    w.note_error(2, send_to(mine, w.address, "x"));
    w.note(3, send_to(third, w.address, "x"));
    w.note(4, receive_one(w.fd));
    w.note_error(5, w.address.connect(third));
    w.note_error(6, close(w.fd));
    w.note_error(7, send_text(third, "x"));
    close(mine);
    close(third);
  }});
  CHECK(seen[0] == ECONNREFUSED);
  CHECK(seen[1] == ENOTCONN);
  CHECK(seen[2] == EPERM);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 'x');
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == ECONNREFUSED);
}

TEST_CASE("a shutdown lets go whoever waits for datagrams") {
  const auto seen = both<datagrams>({
      [](datagrams& w) {
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.call_has_ended();
        w.note(1, receive_one(w.one, MSG_DONTWAIT));
      },
      [](datagrams& w) {
        w.await_waiter();
        w.note_error(2, shutdown(w.one, SHUT_RD));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == -EAGAIN);
  CHECK(seen[2] == 0);
}

TEST_CASE("sendmmsg sends many, recvmmsg receives as many, and waits for the last") {
  const auto seen = both<datagrams>({
      [](datagrams& w) {
        batch all;
        w.next_call_waits();
        w.note(0, recvmmsg(w.one, all.messages.data(), batch::size, 0, nullptr));
        w.call_has_ended();
        w.note(1, all.messages[0].msg_len);
        w.note(2, all.messages[2].msg_len);
        w.note(3, all.texts[2][0]);
      },
      [](datagrams& w) {
        batch all("xyz");
        w.await_waiter();
        w.note(4, sendmmsg(w.other, all.messages.data(), 2, 0));
        w.await_waiter();
        w.note(5, sendmmsg(w.other, all.messages.data() + 2, 1, 0));
        w.note(6, all.messages[2].msg_len);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 3);
  CHECK(seen[3] == 'z');
  CHECK(seen[4] == 2);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == 3);
}

TEST_CASE("recvmmsg with MSG_WAITFORONE waits for one, without waiting for none") {
  const auto seen = both<datagrams>({[](datagrams& w) {
    batch all;
    const timespec bad{.tv_sec = 0, .tv_nsec = 1'000'000'000};
    timespec none{};
    send_text(w.other, "a");
    send_text(w.other, "b");
    w.note(0, recvmmsg(w.one, all.messages.data(), batch::size, MSG_WAITFORONE, nullptr));
    w.note_error(1, recvmmsg(w.one, all.messages.data(), batch::size, MSG_DONTWAIT, nullptr));
    send_text(w.other, "a");
    send_text(w.other, "b");
    w.note(2, recvmmsg(w.one, all.messages.data(), batch::size, 0, &none));
    timespec copy = bad;
    w.note_error(3, recvmmsg(w.one, all.messages.data(), batch::size, 0, &copy));
    w.note(4, recvmmsg(w.one, all.messages.data(), batch::size, MSG_DONTWAIT, nullptr));
    w.note(5, sendmmsg(w.other, all.messages.data(), 0, 0));
  }});
  CHECK(seen[0] == 2);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
}

TEST_CASE("a sendmmsg that fails says how many went before, and then why") {
  const auto seen = both<datagrams>({[](datagrams& w) {
    batch all;
    fill(w.other);
    w.note(0, receive_one(w.one));
    w.note(1, receive_one(w.one));
    const auto went = sendmmsg(w.other, all.messages.data(), batch::size, MSG_DONTWAIT);
    w.note(2, went > 0 && went <= 2);
    w.note_error(3, sendmmsg(w.other, all.messages.data(), batch::size, MSG_DONTWAIT));
  }});
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EAGAIN);
}

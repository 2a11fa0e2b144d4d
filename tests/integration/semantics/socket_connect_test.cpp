// How connections between Unix sockets come about: bind, listen, accept, connect.
#include <sys/resource.h>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

using server = bound<AF_UNIX, SOCK_STREAM>;
using packet_server = bound<AF_UNIX, SOCK_SEQPACKET>;

// A server with room for one that is not accepted.
struct busy_server : server {
  busy_server() { ::listen(fd, 0); }
};

// A name in a directory, which is free.
struct place : named {
  [[nodiscard]] endpoint address() const { return path_name(path.data()); }
};

}  // namespace

TEST_CASE("an accept that waits gets whoever connects, and they talk") {
  const auto seen = both<server>({
      [](server& w) {
        w.next_call_waits();
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.call_has_ended();
        w.note(0, receive_one(talk));
        w.note(1, send_text(talk, "y"));
        close(talk);
      },
      [](server& w) {
        w.await_waiter();
        const auto talk = w.client();
        w.note(2, talk >= 0);
        w.await_its_end();
        send_text(talk, "x");
        w.note(3, receive_one(talk));
        w.note(4, receive_one(talk));
        close(talk);
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 'y');
  CHECK(seen[4] == 0);
}

TEST_CASE("who connects may send at once, and is found by whoever accepts it later") {
  const auto seen = both<server>({
      [](server& w) {
        const auto talk = w.client();
        w.note(0, send_text(talk, "abc"));
        w.next_call_waits();
        w.note(1, receive_one(talk));
        w.call_has_ended();
        close(talk);
      },
      [](server& w) {
        w.await_waiter();
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(2, receive_few(talk, 4));
        send_text(talk, "z");
        w.await_its_end();
        close(talk);
      },
  });
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 'z');
  CHECK(seen[2] == letters("abc"));
}

TEST_CASE("connections are accepted in the order in which they came, each with its own peer") {
  const auto seen = both<server>({
      [](server& w) {
        const auto first = w.client();
        const auto second = w.client();
        send_text(second, "2");
        send_text(first, "1");
        w.note(0, receive_one(first));
        w.note(1, receive_one(second));
        close(first);
        close(second);
      },
      [](server& w) {
        const auto first = accept(w.fd, nullptr, nullptr);
        const auto second = accept(w.fd, nullptr, nullptr);
        w.note(2, receive_one(first));
        w.note(3, receive_one(second));
        send_text(second, "b");
        send_text(first, "a");
        close(first);
        close(second);
      },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 'b');
  CHECK(seen[2] == '1');
  CHECK(seen[3] == '2');
}

TEST_CASE("several accept with one socket, and each gets one") {
  const auto serve = [](server& w) {
    const auto talk = accept(w.fd, nullptr, nullptr);
    send_text(talk, "x");
    close(talk);
  };
  const auto seen = both<server>({
      serve,
      serve,
      [](server& w) {
        for (std::size_t i = 0; i < 2; ++i) {
          const auto talk = w.client();
          w.note(i, receive_one(talk));
          close(talk);
        }
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 'x');
}

TEST_CASE("a connect waits for a listener with a full queue, until it accepts one") {
  const auto seen = both<busy_server>({
      [](busy_server& w) {
        const auto first = w.client();
        const auto second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        w.note_error(0, w.address.connect(second));
        fcntl(second, F_SETFL, 0);
        w.next_call_waits();
        w.note_error(1, w.address.connect(second));
        w.call_has_ended();
        close(first);
        close(second);
      },
      [](busy_server& w) {
        w.await_waiter();
        close(accept(w.fd, nullptr, nullptr));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 0);
}

TEST_CASE("a connect that waits is refused when the listener goes") {
  const auto seen = both<busy_server>({
      [](busy_server& w) {
        const auto first = w.client();
        const auto second = socket(AF_UNIX, SOCK_STREAM, 0);
        close(w.fd);
        w.next_call_waits();
        w.note_error(0, w.address.connect(second));
        w.call_has_ended();
        w.note(1, receive_one(first));
        close(first);
        close(second);
      },
      [](busy_server& w) {
        w.await_waiter();
        close(w.fd);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == ECONNREFUSED);
  CHECK(seen[1] == -ECONNRESET);
}

TEST_CASE("an accept that cannot wait finds nobody") {
  const auto seen = both<server>({[](server& w) {
    fcntl(w.fd, F_SETFL, O_NONBLOCK);
    w.note_error(0, accept(w.fd, nullptr, nullptr));
    const auto talk = w.client();
    const auto other = accept4(w.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    w.note(1, fcntl(other, F_GETFD));
    w.note(2, fcntl(other, F_GETFL));
    w.note(3, receive_one(other));
    close(other);
    close(talk);
    const auto plain = w.client();
    const auto inherits = accept(w.fd, nullptr, nullptr);
    w.note(4, fcntl(inherits, F_GETFL));
    close(inherits);
    close(plain);
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == FD_CLOEXEC);
  CHECK(seen[2] == (O_NONBLOCK | O_RDWR));
  CHECK(seen[3] == -EAGAIN);
  CHECK(seen[4] == O_RDWR);
}

TEST_CASE("a shutdown of a listener lets go whoever waits to accept") {
  const auto seen = both<server>({
      [](server& w) {
        w.next_call_waits();
        w.note_error(0, accept(w.fd, nullptr, nullptr));
        w.call_has_ended();
      },
      [](server& w) {
        w.await_waiter();
        w.note_error(1, shutdown(w.fd, SHUT_RDWR));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == 0);
}

TEST_CASE("sequenced packets connect and are accepted as streams are") {
  const auto seen = both<packet_server>({
      [](packet_server& w) {
        const auto talk = accept(w.fd, nullptr, nullptr);
        w.note(0, receive_few(talk, 8));
        w.note(1, receive_few(talk, 8));
        w.note(2, receive_few(talk, 8));
        close(talk);
      },
      [](packet_server& w) {
        const auto talk = w.client();
        send_text(talk, "ab");
        send_text(talk, "c");
        close(talk);
      },
  });
  CHECK(seen[0] == letters("ab"));
  CHECK(seen[1] == letters("c"));
  CHECK(seen[2] == 0);
}

TEST_CASE("a name in a directory leads to its listener while there is one") {
  const auto seen = both<place>({[](place& w) {
    const auto listener = socket(AF_UNIX, SOCK_STREAM, 0);
    const auto client = socket(AF_UNIX, SOCK_STREAM, 0);
    const auto late = socket(AF_UNIX, SOCK_STREAM, 0);
    w.note_error(0, w.address().connect(client));
    w.note_error(1, w.address().bind(listener));
    w.note_error(2, w.address().connect(client));
    w.note_error(3, w.address().bind(late));
    w.note_error(4, listen(listener, 1));
    w.note_error(5, w.address().connect(client));
    w.note_error(6, w.address().connect(client));
    w.note_error(7, unlink(w.path.data()));
    w.note_error(8, w.address().connect(late));
    const auto talk = accept(listener, nullptr, nullptr);
    send_text(talk, "x");
    w.note(9, receive_one(client));
    for (const auto fd : {listener, client, late, talk}) close(fd);
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == ECONNREFUSED);
  CHECK(seen[3] == EADDRINUSE);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == EISCONN);
  CHECK(seen[7] == 0);
  CHECK(seen[8] == ENOENT);
  CHECK(seen[9] == 'x');
}

TEST_CASE("a name says who it is at both ends") {
  const auto seen = both<server>({[](server& w) {
    const auto client = w.client();
    endpoint from;
    const auto talk = accept(w.fd, from.get(), &from.size);
    w.note(0, static_cast<long>(from.size));
    endpoint peer;
    w.note_error(1, getpeername(client, peer.get(), &peer.size));
    w.note(2, peer.size == w.address.size);
    w.note(3, bound_to(talk).size == w.address.size);
    endpoint none;
    w.note_error(4, getpeername(w.fd, none.get(), &none.size));
    close(talk);
    close(client);
  }});
  CHECK(seen[0] == sizeof(sa_family_t));
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == ENOTCONN);
}

TEST_CASE("calls on sockets that are not for them say so") {
  const auto seen = both<server>({[](server& w) {
    const auto fresh = socket(AF_UNIX, SOCK_STREAM, 0);
    const auto mail = socket(AF_UNIX, SOCK_DGRAM, 0);
    auto* nowhere = unseen(reinterpret_cast<const sockaddr*>(8));
    w.note_error(0, accept(fresh, nullptr, nullptr));
    w.note_error(1, accept(mail, nullptr, nullptr));
    w.note_error(2, listen(mail, 1));
    w.note_error(3, listen(fresh, 1));
    w.note_error(4, connect(fresh, nowhere, sizeof(sockaddr_un)));
    w.note_error(5, bind(fresh, nowhere, sizeof(sockaddr_un)));
    w.note_error(6, connect(fresh, w.address.get(), 1));
    w.note_error(7, w.address.connect(mail));
    w.note_error(8, shutdown(fresh, SHUT_RD));
    w.note_error(9, shutdown(fresh, 77));
    w.note_error(10, socket(AF_UNIX, 77, 0));
    w.note_error(11, send_text(fresh, "x", MSG_NOSIGNAL));
    w.note(12, receive_one(fresh));
    w.note_error(13, accept4(w.fd, nullptr, nullptr, 1));
    close(fresh);
    close(mail);
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EOPNOTSUPP);
  CHECK(seen[2] == EOPNOTSUPP);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == EFAULT);
  CHECK(seen[5] == EFAULT);
  CHECK(seen[6] == EINVAL);
  CHECK(seen[7] == ECONNREFUSED);
  CHECK(seen[8] == 0);
  CHECK(seen[9] == EINVAL);
  CHECK(seen[11] == ENOTCONN);
  CHECK(seen[12] == -EINVAL);
  CHECK(seen[13] == EINVAL);
}

TEST_CASE("without descriptors left, neither a socket nor a connection can be made") {
  const auto seen = both<server>({[](server& w) {
    const auto talk = w.client();
    const auto copy = dup(w.fd);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    const rlimit none{.rlim_cur = 0, .rlim_max = files.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    w.note_error(0, socket(AF_UNIX, SOCK_STREAM, 0));
    w.note_error(1, accept(copy, nullptr, nullptr));
    setrlimit(RLIMIT_NOFILE, &files);
    close(accept(copy, nullptr, nullptr));
    w.note(2, receive_one(talk));
    close(talk);
    close(copy);
  }});
  CHECK(seen[0] == EMFILE);
  CHECK(seen[1] == EMFILE);
  CHECK(seen[2] == 0);
}

TEST_CASE("calls on what is no socket, or not open, say so") {
  const auto seen = both<piped>({[](piped& w) {
    endpoint any;
    std::array<char, 1> byte{};
    const int number = unseen(-1);
    w.note_error(0, accept(w.in, nullptr, nullptr));
    w.note_error(1, abstract_name("x").connect(w.in));
    w.note_error(2, send_text(w.out, "x"));
    w.note_error(3, recv(w.in, byte.data(), 1, 0));
    w.note_error(4, listen(w.in, 1));
    w.note_error(5, shutdown(w.in, SHUT_RD));
    w.note_error(6, send_text(number, "x"));
    w.note_error(7, recv(number, byte.data(), 1, 0));
    w.note_error(8, accept(number, any.get(), &any.size));
    w.note_error(9, abstract_name("x").connect(number));
    w.note_error(10, shutdown(number, SHUT_RD));
  }});
  for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i] == ENOTSOCK);
  for (std::size_t i = 6; i < 11; ++i) CHECK(seen[i] == EBADF);
}

// Event counters: eventfd.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include <cstdint>
#include <limits>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

template <unsigned initial, int flags>
struct counter : notes, appointment {
  int fd = eventfd(initial, flags);
  ~counter() { close(fd); }
};
using plain = counter<0, 0>;
using semaphore = counter<0, EFD_SEMAPHORE>;
using at_once = counter<0, EFD_NONBLOCK>;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - 1;

// The counter's value, or minus the error.
long take(int fd) {
  std::uint64_t value = 0;
  const auto got = read(fd, &value, sizeof value);
  return got == sizeof value ? static_cast<long>(value) : -errno;
}

long put(int fd, std::uint64_t value) { return write(fd, &value, sizeof value) == 8 ? 0 : -errno; }

}  // namespace

TEST_CASE("a read takes the whole counter, and the next one waits until it is written") {
  const auto seen = both<counter<3, 0>>({
      [](counter<3, 0>& w) {
        w.note(0, put(w.fd, 4));
        w.note(1, take(w.fd));
        w.next_call_waits();
        w.note(2, take(w.fd));
        w.call_has_ended();
      },
      [](counter<3, 0>& w) {
        w.await_waiter();
        w.note(3, put(w.fd, 5));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 7);
  CHECK(seen[2] == 5);
  CHECK(seen[3] == 0);
}

TEST_CASE("of a semaphore each read takes one, and those that wait are let go one by one") {
  const auto seen = both<semaphore>({
      [](semaphore& w) { w.note(0, take(w.fd)); },
      [](semaphore& w) { w.note(1, take(w.fd)); },
      [](semaphore& w) { w.note(2, put(w.fd, 2)); },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
}

TEST_CASE("a write that does not fit waits until somebody has read") {
  const auto seen = both<plain>({
      [](plain& w) {
        w.note(0, put(w.fd, most));
        w.next_call_waits();
        w.note(1, put(w.fd, 1));
        w.call_has_ended();
        w.note(2, take(w.fd));
      },
      [](plain& w) {
        w.await_waiter();
        w.note(3, static_cast<std::uint64_t>(take(w.fd)) == most);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("an eventfd that does not block says EAGAIN when it would") {
  const auto seen = both<at_once>({[](at_once& w) {
    w.note(0, take(w.fd));
    w.note(1, put(w.fd, most));
    w.note(2, put(w.fd, 1));
    w.note(3, fcntl(w.fd, F_GETFL) & O_NONBLOCK);
  }});
  CHECK(seen[0] == -EAGAIN);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == -EAGAIN);
  CHECK(seen[3] == O_NONBLOCK);
}

TEST_CASE("what is no number of eight bytes, or one too many, is EINVAL") {
  const auto seen = both<plain>({[](plain& w) {
    std::uint32_t half = 1;
    w.note_error(0, write(w.fd, &half, sizeof half));
    w.note_error(1, read(w.fd, &half, sizeof half));
    w.note(2, put(w.fd, most + 1));
    w.note(3, put(w.fd, 0));
    w.note_error(4, eventfd(0, 0x123));
    w.note(5, fcntl(w.fd, F_GETFL) & O_NONBLOCK);
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == -EINVAL);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == 0);
}

TEST_CASE("eventfd_read and eventfd_write are a read and a write") {
  const auto seen = both<plain>({
      [](plain& w) {
        eventfd_t value = 0;
        w.next_call_waits();
        w.note_error(0, eventfd_read(w.fd, &value));
        w.call_has_ended();
        w.note(1, static_cast<long>(value));
        w.note_error(2, eventfd_write(-1, 1));
      },
      [](plain& w) {
        w.await_waiter();
        w.note_error(3, eventfd_write(w.fd, 6));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 6);
  CHECK(seen[2] == EBADF);
  CHECK(seen[3] == 0);
}

TEST_CASE("readv and writev move the counter, also in several parts") {
  const auto seen = both<plain>({
      [](plain& w) {
        std::array<std::uint32_t, 2> halves{};
        const std::array<iovec, 2> parts{{{&halves[0], 4}, {&halves[1], 4}}};
        w.next_call_waits();
        w.note(0, readv(w.fd, parts.data(), 2));
        w.call_has_ended();
        w.note(1, halves[0]);
      },
      [](plain& w) {
        w.await_waiter();
        std::uint64_t value = 9;
        const iovec whole{&value, sizeof value};
        w.note(2, writev(w.fd, &whole, 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 8);
  CHECK(seen[1] == 9);
  CHECK(seen[2] == 8);
}

TEST_CASE("a counter is the same one through every duplicate") {
  const auto seen = both<plain>({
      [](plain& w) {
        const auto copy = dup(w.fd);
        const auto over = dup2(w.fd, 77);
        close(w.fd);
        w.next_call_waits();
        w.note(0, take(copy));
        w.call_has_ended();
        w.note(1, take(over));
        close(copy);
        close(over);
      },
      [](plain& w) {
        const auto copy = fcntl(w.fd, F_DUPFD, 50);
        w.await_waiter();
        w.note(2, put(copy, 1));
        w.await_its_end();
        w.note(3, put(w.fd, 2));
        close(copy);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 2);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("two counters made by one process are two") {
  struct two : plain {
    int other = eventfd(0, 0);
    ~two() { close(other); }
  };
  const auto seen = both<two>({
      [](two& w) {
        std::array<pollfd, 2> set{{{w.fd, POLLIN, 0}, {w.other, POLLIN, 0}}};
        w.next_call_waits();
        w.note(0, poll(set.data(), 2, -1));
        w.call_has_ended();
        w.note(1, set[0].revents);
        w.note(2, set[1].revents);
      },
      [](two& w) {
        w.await_waiter();
        w.note(3, put(w.other, 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == POLLIN);
}

TEST_CASE("a full counter is not writable, an empty one not readable") {
  const auto seen = both<plain>({[](plain& w) {
    pollfd one{w.fd, POLLIN | POLLOUT, 0};
    w.note(0, poll(&one, 1, 0));
    w.note(1, one.revents);
    put(w.fd, most);
    w.note(2, poll(&one, 1, -1));
    w.note(3, one.revents);
  }});
  CHECK(seen[1] == POLLOUT);
  CHECK(seen[3] == POLLIN);
}

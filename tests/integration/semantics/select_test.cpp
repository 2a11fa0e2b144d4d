// Waiting for descriptors in bit sets: select and pselect.
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/time.h>

#include <climits>
#include <csignal>
#include <ctime>
#include <vector>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

struct piped_with_event : piped {
  int event = eventfd(0, 0);
  ~piped_with_event() { close(event); }
};

fd_set only(int fd) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  return set;
}

constexpr timeval at_once{.tv_sec = 0, .tv_usec = 0};

// Is it readable now? Minus the error if that cannot be said.
long readable(int fd, timeval patience = at_once) {
  auto set = only(fd);
  const auto count = select(fd + 1, &set, nullptr, nullptr, &patience);
  return count < 0 ? -errno : static_cast<long>(count > 0 && FD_ISSET(fd, &set));
}

long monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

TEST_CASE("a select leaves those that are ready in the sets, and no others") {
  const auto seen = both<piped>({[](piped& w) {
    auto read = only(w.in);
    auto write = only(w.out);
    const auto end = std::max(w.in, w.out) + 1;
    w.note(0, select(end, &read, &write, nullptr, nullptr));
    w.note(1, FD_ISSET(w.in, &read));
    w.note(2, FD_ISSET(w.out, &write));
    ::write(w.out, "x", 1);
    read = only(w.in);
    w.note(3, select(end, &read, &write, nullptr, nullptr));
    w.note(4, FD_ISSET(w.in, &read));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 2);
  CHECK(seen[4] == 1);
}

TEST_CASE("a select that waits for data ends when it comes") {
  const auto seen = both<piped>({
      [](piped& w) {
        auto set = only(w.in);
        w.next_call_waits();
        w.note(0, select(w.in + 1, &set, nullptr, nullptr, nullptr));
        w.call_has_ended();
        w.note(1, FD_ISSET(w.in, &set));
        w.note(2, read_one(w.in));
      },
      [](piped& w) {
        w.await_waiter();
        write(w.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'x');
}

TEST_CASE("a select that waits for room ends when a reader makes it") {
  const auto seen = both<piped>({
      [](piped& w) {
        const std::vector<char> bytes(static_cast<std::size_t>(w.capacity()));
        write(w.out, bytes.data(), bytes.size());
        auto set = only(w.out);
        w.next_call_waits();
        w.note(0, select(w.out + 1, nullptr, &set, nullptr, nullptr));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        std::array<char, 4096> page{};
        w.note(1, read(w.in, page.data(), page.size()));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 4096);
}

TEST_CASE("the end of the data counts as readable") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        auto set = only(w.in);
        w.next_call_waits();
        w.note(0, select(w.in + 1, &set, nullptr, nullptr, nullptr));
        w.call_has_ended();
        w.note(1, read_one(w.in));
      },
      [](piped& w) {
        w.await_waiter();
        close(w.out);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
}

TEST_CASE("a select whose time is up empties the sets, and no earlier than it was told") {
  const auto seen = both<piped>({[](piped& w) {
    auto set = only(w.in);
    timeval patience{.tv_sec = 0, .tv_usec = 20'000};
    const auto before = monotonic_ms();
    w.note(0, select(w.in + 1, &set, nullptr, nullptr, &patience));
    w.note(1, FD_ISSET(w.in, &set));
    w.note(2, monotonic_ms() - before >= 20);
    w.note(3, patience.tv_sec + patience.tv_usec);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}

TEST_CASE("Linux tells in the time-out how much of it is left") {
  const auto seen = both<piped>({[](piped& w) {
    write(w.out, "x", 1);
    auto set = only(w.in);
    timeval patience{.tv_sec = 1000, .tv_usec = 0};
    w.note(0, select(w.in + 1, &set, nullptr, nullptr, &patience));
    w.note(1, patience.tv_sec >= 900 && patience.tv_sec <= 1000);
    // pselect's is left alone, by libc.
    const timespec ten{.tv_sec = 0, .tv_nsec = 1'000'000};
    FD_ZERO(&set);
    w.note(2, pselect(0, &set, nullptr, nullptr, &ten, nullptr));
    w.note(3, ten.tv_nsec);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1'000'000);
}

TEST_CASE("a select of nothing is a sleep") {
  const auto seen = both<piped>({[](piped& w) {
    timeval patience{.tv_sec = 0, .tv_usec = 1'010'000};
    patience.tv_usec -= 1'000'000;
    const auto before = monotonic_ms();
    w.note(0, select(0, nullptr, nullptr, nullptr, &patience));
    w.note(1, monotonic_ms() - before >= 10);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("a select of a pipe and an eventfd ends when the eventfd is written") {
  const auto seen = both<piped_with_event>({
      [](piped_with_event& w) {
        auto set = only(w.in);
        FD_SET(w.event, &set);
        auto except = set;
        w.next_call_waits();
        w.note(0, select(std::max(w.in, w.event) + 1, &set, nullptr, &except, nullptr));
        w.call_has_ended();
        w.note(1, readable(w.event));
        w.note(2, readable(w.in));
      },
      [](piped_with_event& w) {
        w.await_waiter();
        eventfd_write(w.event, 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
}

TEST_CASE("a set that cannot be says EBADF, EINVAL or EFAULT, and stays as it was") {
  const auto seen = both<piped>({[](piped& w) {
    close(w.in);
    auto set = only(w.in);
    timeval forever{.tv_sec = 1000, .tv_usec = 0};
    timeval negative{.tv_sec = -1, .tv_usec = 0};
    const timespec bad{.tv_sec = 0, .tv_nsec = 1'000'000'000};
    w.note_error(0, select(w.in + 1, &set, nullptr, nullptr, &forever));
    w.note(1, FD_ISSET(w.in, &set));
    w.note_error(2, select(-1, &set, nullptr, nullptr, &forever));
    w.note_error(3, select(0, &set, nullptr, nullptr, &negative));
    w.note_error(4, pselect(0, &set, nullptr, nullptr, &bad, nullptr));
    w.note_error(5, select(8, nullptr, unseen(reinterpret_cast<fd_set*>(8)), nullptr, nullptr));
  }});
  CHECK(seen[0] == EBADF);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == EFAULT);
}

TEST_CASE("sets may be longer than an fd_set") {
  const auto seen = both<piped>({[](piped& w) {
    constexpr int high = 1'500;
    std::array<fd_set, 2> read{};
    if (dup2(w.in, high) != high) return w.note(0, -errno);
    auto* words = reinterpret_cast<unsigned long*>(read.data());
    words[high / 64] |= 1UL << (high % 64);
    timeval patience = at_once;
    w.note(0, select(high + 1, read.data(), nullptr, nullptr, &patience));
    w.note(1, words[high / 64] != 0);
    write(w.out, "x", 1);
    words[high / 64] |= 1UL << (high % 64);
    w.note(2, select(high + 1, read.data(), nullptr, nullptr, nullptr));
    w.note(3, words[high / 64] != 0);
    close(high);
  }});
  if (seen[0] < 0) return;  // so many descriptors are not allowed here
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("pselect waits as select does, also as long as can be told") {
  const auto seen = both<piped>({
      [](piped& w) {
        auto set = only(w.in);
        const timespec longest{.tv_sec = LONG_MAX, .tv_nsec = 0};
        w.next_call_waits();
        w.note(0, pselect(w.in + 1, &set, nullptr, nullptr, &longest, nullptr));
        w.call_has_ended();
        w.note(1, FD_ISSET(w.in, &set));
      },
      [](piped& w) {
        w.await_waiter();
        write(w.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
}

TEST_CASE("a signal that waits is let in by pselect's mask, and ends it with EINTR") {
  const auto seen = both<piped>({[](piped& w) {
    static volatile sig_atomic_t caught = 0;
    caught = 0;
    signal(SIGUSR1, [](int) { caught = 1; });
    sigset_t blocked;
    sigset_t none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    raise(SIGUSR1);
    auto set = only(w.in);
    w.note_error(0, pselect(w.in + 1, &set, nullptr, nullptr, nullptr, &none));
    w.note(1, caught);
    w.note(2, FD_ISSET(w.in, &set));
  }});
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
}

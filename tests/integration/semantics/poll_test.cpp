// Waiting for descriptors: poll and ppoll.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <array>
#include <climits>
#include <csignal>
#include <ctime>
#include <vector>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

struct two_pipes : piped {
  piped second;
  void forked() {
    piped::forked();
    second.forked();
  }
};

// An eventfd; the kernel schedules those who wait for it, Forkloom does not.
struct piped_with_event : piped {
  int event = eventfd(0, 0);
  ~piped_with_event() { close(event); }
};

short revents(int fd, short wanted, int timeout = 0) {
  pollfd one{fd, wanted, 0};
  return poll(&one, 1, timeout) < 0 ? short{-1} : one.revents;
}

long monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

TEST_CASE("a pipe is readable when it has data, and writable when it has room") {
  const auto seen = both<piped>({[](piped& w) {
    w.note(0, revents(w.in, POLLIN));
    w.note(1, revents(w.out, POLLOUT));
    write(w.out, "x", 1);
    w.note(2, revents(w.in, POLLIN));
    fcntl(w.out, F_SETFL, O_NONBLOCK);
    const std::vector<char> bytes(static_cast<std::size_t>(w.capacity()));
    while (write(w.out, bytes.data(), bytes.size()) > 0) continue;
    w.note(3, revents(w.out, POLLOUT));
    w.note(4, revents(w.in, POLLOUT));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == POLLOUT);
  CHECK(seen[2] == POLLIN);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("a poll that waits for data ends when it comes") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.next_call_waits();
        w.note(0, revents(w.in, POLLIN, -1));
        w.call_has_ended();
        w.note(1, read_one(w.in));
      },
      [](piped& w) {
        w.await_waiter();
        write(w.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLIN);
  CHECK(seen[1] == 'x');
}

TEST_CASE("a poll that waits for room ends when a reader makes it") {
  const auto seen = both<piped>({
      [](piped& w) {
        const std::vector<char> bytes(static_cast<std::size_t>(w.capacity()));
        write(w.out, bytes.data(), bytes.size());
        w.next_call_waits();
        w.note(0, revents(w.out, POLLOUT, -1));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        std::array<char, 4096> page{};
        w.note(1, read(w.in, page.data(), page.size()));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLOUT);
  CHECK(seen[1] == 4096);
}

TEST_CASE("a poll that waits hears the hang-up of the last writer, asked for or not") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.next_call_waits();
        w.note(0, revents(w.in, 0, -1));
        w.call_has_ended();
        w.note(1, revents(w.in, POLLIN));
      },
      [](piped& w) {
        w.await_waiter();
        close(w.out);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLHUP);
  CHECK(seen[1] == POLLHUP);
}

TEST_CASE("data that the last writer left is readable besides the hang-up") {
  const auto seen = both<piped>({[](piped& w) {
    write(w.out, "x", 1);
    close(w.out);
    w.note(0, revents(w.in, POLLIN));
    read_one(w.in);
    w.note(1, revents(w.in, POLLIN));
  }});
  CHECK(seen[0] == (POLLIN | POLLHUP));
  CHECK(seen[1] == POLLHUP);
}

TEST_CASE("a poll of a write end that waits hears when the last reader goes") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.write_only();
        w.next_call_waits();
        w.note(0, revents(w.out, 0, -1));
        w.call_has_ended();
        w.note(1, revents(w.out, POLLOUT));
      },
      [](piped& w) {
        w.await_waiter();
        close(w.in);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLERR);
  CHECK(seen[1] == (POLLOUT | POLLERR));
}

TEST_CASE("a descriptor that is closed is POLLNVAL at once, a negative one is ignored") {
  const auto seen = both<piped>({[](piped& w) {
    close(w.in);
    std::array<pollfd, 3> set{{{w.in, POLLIN, 0}, {-1, POLLIN, 77}, {w.out, POLLIN, 0}}};
    w.note(0, poll(set.data(), set.size(), -1));
    w.note(1, set[0].revents);
    w.note(2, set[1].revents);
    w.note(3, set[2].revents);
  }});
  CHECK(seen[0] == 2);
  CHECK(seen[1] == POLLNVAL);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == POLLERR);
}

TEST_CASE("a poll whose time is up finds nothing, and no earlier than it was told") {
  const auto seen = both<piped>({[](piped& w) {
    pollfd one{w.in, POLLIN, 77};
    w.note(0, poll(&one, 1, 0));
    const auto before = monotonic_ms();
    w.note(1, poll(&one, 1, 20));
    w.note(2, one.revents);
    w.note(3, monotonic_ms() - before >= 20);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("a poll of nobody, or of negative descriptors alone, is a sleep") {
  const auto seen = both<piped>({[](piped& w) {
    pollfd nobody{-3, POLLIN, 77};
    const auto before = monotonic_ms();
    w.note(0, poll(nullptr, 0, 10));
    w.note(1, poll(&nobody, 1, 10));
    w.note(2, nobody.revents);
    w.note(3, monotonic_ms() - before >= 20);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("a poll with time left ends when data comes") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.next_call_waits();
        w.note(0, revents(w.in, POLLIN, INT_MAX));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        write(w.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLIN);
}

TEST_CASE("a poll of two pipes tells which of them is ready") {
  const auto seen = both<two_pipes>({
      [](two_pipes& w) {
        std::array<pollfd, 2> set{{{w.in, POLLIN, 0}, {w.second.in, POLLIN, 0}}};
        w.next_call_waits();
        w.note(0, poll(set.data(), set.size(), -1));
        w.call_has_ended();
        w.note(1, set[0].revents);
        w.note(2, set[1].revents);
        write(w.out, "x", 1);
        w.note(3, poll(set.data(), set.size(), -1));
      },
      [](two_pipes& w) {
        w.await_waiter();
        write(w.second.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == POLLIN);
  CHECK(seen[3] == 2);
}

TEST_CASE("a poll of more pipes than a task can list hears of the last of them") {
  struct many : piped {
    std::array<piped, 20> others;
    void forked() {
      piped::forked();
      for (auto& other : others) other.forked();
    }
  };
  const auto seen = both<many>({
      [](many& w) {
        std::vector<pollfd> set;
        for (const auto& other : w.others) set.push_back({other.in, POLLIN, 0});
        w.next_call_waits();
        w.note(0, poll(set.data(), set.size(), -1));
        w.call_has_ended();
        w.note(1, set.back().revents);
      },
      [](many& w) {
        w.await_waiter();
        write(w.others.back().out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == POLLIN);
}

TEST_CASE("a regular file is always ready, whatever the pipe beside it") {
  const auto seen = both<piped>({[](piped& w) {
    const auto file = open("/proc/self/exe", O_RDONLY);
    std::array<pollfd, 2> set{{{w.in, POLLIN, 0}, {file, POLLIN, 0}}};
    w.note(0, poll(set.data(), set.size(), -1));
    w.note(1, set[0].revents);
    w.note(2, set[1].revents);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == POLLIN);
}

TEST_CASE("a poll of a pipe and an eventfd ends when the eventfd is written") {
  const auto seen = both<piped_with_event>({
      [](piped_with_event& w) {
        std::array<pollfd, 2> set{{{w.in, POLLIN, 0}, {w.event, POLLIN, 0}}};
        w.next_call_waits();
        w.note(0, poll(set.data(), set.size(), -1));
        w.call_has_ended();
        w.note(1, set[0].revents);
        w.note(2, set[1].revents);
      },
      [](piped_with_event& w) {
        w.await_waiter();
        eventfd_write(w.event, 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == POLLIN);
}

TEST_CASE("a poll of a pipe and an eventfd ends when the pipe is written, or its time is up") {
  const auto seen = both<piped_with_event>({
      [](piped_with_event& w) {
        std::array<pollfd, 2> set{{{w.in, POLLIN, 0}, {w.event, POLLIN, 0}}};
        w.note(0, poll(set.data(), set.size(), 1));
        w.next_call_waits();
        w.note(1, poll(set.data(), set.size(), -1));
        w.call_has_ended();
        w.note(2, set[0].revents);
      },
      [](piped_with_event& w) {
        w.await_waiter();
        write(w.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == POLLIN);
}

TEST_CASE("two polls of eventfds alone end one after the other") {
  const auto seen = both<piped_with_event>({
      [](piped_with_event& w) {
        w.note(0, revents(w.event, POLLIN, -1));
        write(w.out, "x", 1);
      },
      [](piped_with_event& w) { w.note(1, revents(w.event, POLLIN, -1)); },
      [](piped_with_event& w) { w.note_error(2, eventfd_write(w.event, 1)); },
  });
  CHECK(seen[0] == POLLIN);
  CHECK(seen[1] == POLLIN);
  CHECK(seen[2] == 0);
}

TEST_CASE("a set that cannot be says EFAULT or EINVAL") {
  const auto seen = both<piped>({[](piped& w) {
    auto* nowhere = unseen(reinterpret_cast<pollfd*>(8));
    const timespec bad{.tv_sec = 0, .tv_nsec = 1'000'000'000};
    pollfd one{w.out, POLLOUT, 0};
    w.note_error(0, poll(nowhere, 1, -1));
    w.note_error(1, ppoll(nowhere, 1, nullptr, nullptr));
    // The memory is there: ASan reads the set before the kernel can refuse its size.
    std::array<pollfd, 8> more_than_may_be_open{};
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    const rlimit few{.rlim_cur = more_than_may_be_open.size() - 1, .rlim_max = files.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    w.note_error(2, poll(more_than_may_be_open.data(), more_than_may_be_open.size(), 0));
    w.note_error(3, ppoll(&one, 1, &bad, nullptr));
    w.note_error(4, ppoll(&one, 1, nullptr, unseen(reinterpret_cast<sigset_t*>(8))));
  }});
  CHECK(seen[0] == EFAULT);
  CHECK(seen[1] == EFAULT);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == EFAULT);
}

TEST_CASE("ppoll waits as poll does, also as long as can be told") {
  const auto seen = both<piped>({
      [](piped& w) {
        pollfd one{w.in, POLLIN, 0};
        const timespec none{};
        const timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
        const timespec longest{.tv_sec = LONG_MAX, .tv_nsec = 0};
        w.note(0, ppoll(&one, 1, &none, nullptr));
        w.note(1, ppoll(&one, 1, &moment, nullptr));
        w.next_call_waits();
        w.note(2, ppoll(&one, 1, &longest, nullptr));
        w.call_has_ended();
        w.note(3, one.revents);
        w.note(4, ppoll(&one, 1, nullptr, nullptr));
      },
      [](piped& w) {
        w.await_waiter();
        write(w.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == POLLIN);
  CHECK(seen[4] == 1);
}

TEST_CASE("a signal that waits is let in by ppoll's mask, and ends it with EINTR") {
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
    pollfd one{w.in, POLLIN, 0};
    w.note(0, caught);
    w.note_error(1, ppoll(&one, 1, nullptr, &none));
    w.note(2, caught);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EINTR);
  CHECK(seen[2] == 1);
}

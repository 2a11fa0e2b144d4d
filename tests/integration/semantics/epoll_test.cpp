// Waiting for many descriptors that the kernel keeps a list of: epoll.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <csignal>
#include <ctime>
#include <vector>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

// An epoll that all bodies share, a pipe and an eventfd that nobody has added yet.
struct watched : piped {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  int event = eventfd(0, EFD_NONBLOCK);
  ~watched() {
    close(epoll);
    close(event);
  }

  int add(int fd, std::uint32_t events, int op = EPOLL_CTL_ADD) const {
    epoll_event what{};
    what.events = events;
    what.data.fd = fd;
    return epoll_ctl(epoll, op, fd, &what);
  }

  // The descriptor that is ready and what it is ready for; 0 if none is, minus the error.
  [[nodiscard]] long wait(int timeout = -1) const {
    epoll_event what{};
    const auto count = epoll_wait(epoll, &what, 1, timeout);
    return count < 0 ? -errno : count == 0 ? 0 : what.data.fd * 1000L + what.events;
  }
};

long ready(int fd, std::uint32_t events) { return fd * 1000L + events; }

long drain(int event) {
  eventfd_t value = 0;
  return eventfd_read(event, &value) == 0 ? static_cast<long>(value) : -errno;
}

}  // namespace

TEST_CASE("a wait ends when a pipe in the list gets data, and tells which") {
  const auto seen = both<watched>({
      [](watched& w) {
        w.add(w.in, EPOLLIN);
        w.add(w.event, EPOLLIN);
        w.note(0, w.wait(0));
        w.next_call_waits();
        w.note(1, w.wait() == ready(w.in, EPOLLIN));
        w.call_has_ended();
        w.note(2, w.wait(0) == ready(w.in, EPOLLIN));
        w.note(3, read_one(w.in));
        w.note(4, w.wait(0));
      },
      [](watched& w) {
        w.await_waiter();
        write(w.out, "x", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 'x');
  CHECK(seen[4] == 0);
}

TEST_CASE("an edge is told once, and again only after something new has come") {
  const auto seen = both<watched>({
      [](watched& w) {
        w.add(w.event, EPOLLIN | EPOLLET);
        w.next_call_waits();
        w.note(0, w.wait() == ready(w.event, EPOLLIN));
        w.call_has_ended();
        w.note(1, w.wait(0));
        eventfd_write(w.event, 1);
        w.note(2, w.wait(0) == ready(w.event, EPOLLIN));
        w.note(3, drain(w.event));
      },
      [](watched& w) {
        w.await_waiter();
        eventfd_write(w.event, 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 2);
}

TEST_CASE("what is told once is silent until it is asked for again") {
  const auto seen = both<watched>({
      [](watched& w) {
        w.add(w.event, EPOLLIN | EPOLLONESHOT);
        eventfd_write(w.event, 1);
        w.note(0, w.wait(0) == ready(w.event, EPOLLIN));
        w.note(1, w.wait(0));
        w.next_call_waits();
        w.note(2, w.wait() == ready(w.event, EPOLLIN));
        w.call_has_ended();
      },
      [](watched& w) {
        w.await_waiter();
        w.note(3, w.add(w.event, EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}

TEST_CASE("a wait hears of what another process adds to the list meanwhile") {
  const auto seen = both<watched>({
      [](watched& w) {
        w.next_call_waits();
        w.note(0, w.wait() == ready(w.event, EPOLLIN));
        w.call_has_ended();
      },
      [](watched& w) {
        eventfd_write(w.event, 1);
        w.await_waiter();
        w.note(1, w.add(w.event, EPOLLIN));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
}

TEST_CASE("a wait hears of a hang-up without being asked to") {
  const auto seen = both<watched>({
      [](watched& w) {
        w.read_only();
        w.add(w.in, 0);
        w.next_call_waits();
        w.note(0, w.wait() == ready(w.in, EPOLLHUP));
        w.call_has_ended();
      },
      [](watched& w) {
        w.await_waiter();
        close(w.out);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
}

TEST_CASE("an epoll in an epoll is ready when something in it is") {
  const auto seen = both<watched>({
      [](watched& w) {
        w.add(w.event, EPOLLIN);
        const auto outer = epoll_create(1);
        epoll_event what{};
        what.events = EPOLLIN;
        w.note(0, epoll_ctl(outer, EPOLL_CTL_ADD, w.epoll, &what));
        w.next_call_waits();
        w.note(1, epoll_wait(outer, &what, 1, -1));
        w.call_has_ended();
        pollfd one{outer, POLLIN, 0};
        w.note(2, poll(&one, 1, -1));
        close(outer);
      },
      [](watched& w) {
        w.await_waiter();
        eventfd_write(w.event, 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
}

TEST_CASE("a timer in the list ends the wait when it expires, an edge once for each read") {
  const auto seen = both<watched>({[](watched& w) {
    const auto timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    w.add(timer, EPOLLIN | EPOLLET);
    const itimerspec often{.it_interval = {.tv_sec = 0, .tv_nsec = 2'000'000},
                           .it_value = {.tv_sec = 0, .tv_nsec = 2'000'000}};
    timerfd_settime(timer, 0, &often, nullptr);
    w.note(0, w.wait() == ready(timer, EPOLLIN));
    w.note(1, w.wait(10));
    std::uint64_t count = 0;
    w.note(2, read(timer, &count, sizeof count));
    w.note(3, count >= 5);
    w.note(4, w.wait() == ready(timer, EPOLLIN));
    close(timer);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 8);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
}

TEST_CASE("what is taken off the list, or closed, is not heard of") {
  const auto seen = both<watched>({[](watched& w) {
    w.add(w.event, EPOLLIN);
    w.add(w.in, EPOLLIN);
    eventfd_write(w.event, 1);
    write(w.out, "x", 1);
    w.note(0, epoll_ctl(w.epoll, EPOLL_CTL_DEL, w.event, nullptr));
    w.note(1, w.wait(0) == ready(w.in, EPOLLIN));
    read_one(w.in);
    w.note(2, w.wait(1));
    w.note_error(3, epoll_ctl(w.epoll, EPOLL_CTL_DEL, w.event, nullptr));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == ENOENT);
}

TEST_CASE("a pidfd in the list ends the wait when the process dies") {
  const auto seen = both<watched>({[](watched& w) {
    const auto child = fork();
    if (child == 0) {
      usleep(2000);
      _exit(0);
    }
    const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    w.add(pidfd, EPOLLIN);
    w.note(0, w.wait() == ready(pidfd, EPOLLIN));
    w.note(1, waitpid(child, nullptr, WNOHANG) == child);
    close(pidfd);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
}

TEST_CASE("more descriptors than a task can list are all heard of") {
  struct many : watched {
    std::array<int, 20> events{};
    many() {
      for (auto& fd : events) add(fd = eventfd(0, 0), EPOLLIN);
    }
    ~many() {
      for (const auto fd : events) close(fd);
    }
  };
  const auto seen = both<many>({
      [](many& w) {
        w.next_call_waits();
        w.note(0, w.wait() == ready(w.events.back(), EPOLLIN));
        w.call_has_ended();
      },
      [](many& w) {
        w.await_waiter();
        eventfd_write(w.events.back(), 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
}

TEST_CASE("several events are told at a time, as many as there is room for") {
  const auto seen = both<watched>({[](watched& w) {
    w.add(w.out, EPOLLOUT);
    w.add(w.event, EPOLLOUT);
    std::array<epoll_event, 4> events{};
    w.note(0, epoll_wait(w.epoll, events.data(), 4, -1));
    w.note(1, epoll_wait(w.epoll, events.data(), 1, -1));
    const timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
    w.note(2, epoll_pwait(w.epoll, events.data(), 4, 100, nullptr));
    w.note(3, epoll_pwait2(w.epoll, events.data(), 4, &moment, nullptr));
    w.note(4, epoll_pwait2(w.epoll, events.data(), 4, nullptr, nullptr));
  }});
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 2);
  CHECK(seen[3] == 2);
  CHECK(seen[4] == 2);
}

TEST_CASE("a wait whose time is up finds nothing, and no earlier than it was told") {
  const auto seen = both<watched>({[](watched& w) {
    w.add(w.in, EPOLLIN);
    timespec before{};
    timespec after{};
    const timespec ten_ms{.tv_sec = 0, .tv_nsec = 10'000'000};
    epoll_event what{};
    clock_gettime(CLOCK_MONOTONIC, &before);
    w.note(0, w.wait(10));
    w.note(1, epoll_pwait2(w.epoll, &what, 1, &ten_ms, nullptr));
    clock_gettime(CLOCK_MONOTONIC, &after);
    w.note(
        2,
        (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1'000'000 >= 20);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

TEST_CASE("what epoll refuses, it refuses under control") {
  const auto seen = both<watched>({[](watched& w) {
    epoll_event what{};
    const auto file = open("/proc/self/exe", O_RDONLY);
    const timespec bad{.tv_sec = -1, .tv_nsec = 0};
    w.note_error(0, epoll_create(0));
    w.note_error(1, epoll_create1(0x123));
    w.note_error(2, w.add(file, EPOLLIN));
    w.note_error(3, w.add(-1, EPOLLIN));
    w.note_error(4, w.add(w.epoll, EPOLLIN));
    w.add(w.in, EPOLLIN);
    w.note_error(5, w.add(w.in, EPOLLIN));
    w.note_error(6, w.add(w.out, EPOLLOUT, EPOLL_CTL_MOD));
    w.note_error(7, epoll_wait(w.epoll, &what, 0, 0));
    w.note_error(8, epoll_wait(w.in, &what, 1, 0));
    w.note_error(9, epoll_wait(-1, &what, 1, 0));
    w.note_error(10, epoll_pwait2(w.epoll, &what, 1, &bad, nullptr));
    w.note_error(
        11, epoll_ctl(w.epoll, EPOLL_CTL_ADD, w.event, unseen(reinterpret_cast<epoll_event*>(8))));
    close(file);
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EPERM);
  CHECK(seen[3] == EBADF);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == EEXIST);
  CHECK(seen[6] == ENOENT);
  CHECK(seen[7] == EINVAL);
  CHECK(seen[8] == EINVAL);
  CHECK(seen[9] == EBADF);
  CHECK(seen[10] == EINVAL);
  CHECK(seen[11] == EFAULT);
}

TEST_CASE("a signal that waits is let in by the mask, and ends the wait with EINTR") {
  const auto seen = both<watched>({[](watched& w) {
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
    epoll_event what{};
    w.note_error(0, epoll_pwait(w.epoll, &what, 1, -1, &none));
    w.note(1, caught);
  }});
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == 1);
}

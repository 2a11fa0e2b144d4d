// Timers behind descriptors: timerfd. Natively they run on real time, under control on virtual
// time, so what is noted is what holds on any machine.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <cstdint>
#include <ctime>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

struct timer : notes, appointment {
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  ~timer() { close(fd); }
};

constexpr long ms = 1'000'000;

itimerspec in(long ns, long interval_ns = 0) {
  return {.it_interval = {.tv_sec = 0, .tv_nsec = interval_ns},
          .it_value = {.tv_sec = 0, .tv_nsec = ns}};
}

int set(int fd, const itimerspec& when, int flags = 0) {
  return timerfd_settime(fd, flags, &when, nullptr);
}

// How often it expired, or minus the error.
long expirations(int fd) {
  std::uint64_t count = 0;
  return read(fd, &count, sizeof count) == sizeof count ? static_cast<long>(count) : -errno;
}

long now_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1000 + now.tv_nsec / ms;
}

}  // namespace

TEST_CASE("a read waits until the timer expires, and no less") {
  const auto seen = both<timer>({[](timer& w) {
    const auto before = now_ms(CLOCK_MONOTONIC);
    w.note_error(0, set(w.fd, in(20 * ms)));
    w.note(1, expirations(w.fd));
    w.note(2, now_ms(CLOCK_MONOTONIC) - before >= 20);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
}

TEST_CASE("a timer with an interval counts the times that nobody read") {
  const auto seen = both<timer>({[](timer& w) {
    set(w.fd, in(ms, ms));
    usleep(5500);
    const auto missed = expirations(w.fd);
    w.note(0, missed >= 5);
    w.note(1, expirations(w.fd) >= 1);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
}

TEST_CASE("a timer that expired once is readable until it is read, and then waits for ever") {
  const auto seen = both<timer>({[](timer& w) {
    pollfd one{w.fd, POLLIN, 0};
    w.note(0, poll(&one, 1, 0));
    set(w.fd, in(ms));
    w.note(1, poll(&one, 1, -1));
    w.note(2, one.revents);
    w.note(3, poll(&one, 1, -1));
    w.note(4, expirations(w.fd));
    w.note(5, poll(&one, 1, 5));
    fcntl(w.fd, F_SETFL, O_NONBLOCK);
    w.note(6, expirations(w.fd));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == POLLIN);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == -EAGAIN);
}

TEST_CASE("setting a timer anew forgets what it has counted, and tells what was left") {
  const auto seen = both<timer>({[](timer& w) {
    set(w.fd, in(ms));
    usleep(3000);
    const auto never = in(0);
    itimerspec old = in(1, 1);
    w.note_error(0, timerfd_settime(w.fd, 0, &never, &old));
    w.note(1, old.it_value.tv_nsec);
    fcntl(w.fd, F_SETFL, O_NONBLOCK);
    w.note(2, expirations(w.fd));
    const itimerspec hour{.it_interval = {.tv_sec = 7, .tv_nsec = 0},
                          .it_value = {.tv_sec = 3600, .tv_nsec = 0}};
    set(w.fd, hour);
    w.note_error(3, timerfd_gettime(w.fd, &old));
    w.note(4, old.it_value.tv_sec);
    w.note(5, old.it_interval.tv_sec);
    w.note_error(6, timerfd_settime(w.fd, 0, &never, &old));
    w.note(7, old.it_value.tv_sec);
    timerfd_gettime(w.fd, &old);
    w.note(8, old.it_value.tv_sec + old.it_interval.tv_sec);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == -EAGAIN);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 3599);
  CHECK(seen[5] == 7);
  CHECK(seen[7] == 3599);
  CHECK(seen[8] == 0);
}

TEST_CASE("an absolute time counts by the timer's clock, and one that is past has come") {
  const auto seen = both<timer>({[](timer& w) {
    itimerspec when{};
    clock_gettime(CLOCK_MONOTONIC, &when.it_value);
    when.it_value.tv_sec -= 1;
    w.note_error(0, set(w.fd, when, TFD_TIMER_ABSTIME));
    w.note(1, expirations(w.fd));
    const auto real = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
    const auto before = now_ms(CLOCK_REALTIME);
    clock_gettime(CLOCK_REALTIME, &when.it_value);
    when.it_value.tv_nsec += 10 * ms;
    when.it_value.tv_sec += when.it_value.tv_nsec / (1000 * ms);
    when.it_value.tv_nsec %= 1000 * ms;
    w.note_error(2, set(real, when, TFD_TIMER_ABSTIME));
    w.note(3, expirations(real));
    w.note(4, now_ms(CLOCK_REALTIME) - before >= 10);
    close(real);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
}

TEST_CASE("a reader that waits for a timer that is not set goes on when another task sets it") {
  const auto seen = both<timer>({
      [](timer& w) {
        w.next_call_waits();
        w.note(0, expirations(w.fd));
        w.call_has_ended();
      },
      [](timer& w) {
        w.await_waiter();
        w.note_error(1, set(w.fd, in(ms)));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
}

TEST_CASE("a timer that cannot be is EINVAL, a bad address EFAULT, no timer EBADF or EINVAL") {
  const auto seen = both<timer>({[](timer& w) {
    const auto bad = in(1'000'000'000);
    const auto good = in(ms);
    itimerspec now{};
    w.note_error(0, set(w.fd, bad));
    w.note_error(1, timerfd_settime(w.fd, 0x77, &good, nullptr));
    w.note_error(2, timerfd_settime(w.fd, 0, unseen(reinterpret_cast<itimerspec*>(8)), nullptr));
    w.note_error(3, timerfd_settime(-1, 0, &good, nullptr));
    w.note_error(4, timerfd_settime(0, 0, &good, nullptr));
    w.note_error(5, timerfd_gettime(-1, &now));
    w.note_error(6, timerfd_create(99, 0));
    w.note_error(7, timerfd_create(CLOCK_MONOTONIC, 0x12345));
    set(w.fd, good);
    std::uint32_t half = 0;
    w.note_error(8, read(w.fd, &half, sizeof half));
    w.note(9, expirations(w.fd));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EFAULT);
  CHECK(seen[3] == EBADF);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == EBADF);
  CHECK(seen[6] == EINVAL);
  CHECK(seen[7] == EINVAL);
  CHECK(seen[8] == EINVAL);
  CHECK(seen[9] == 1);
}

TEST_CASE("two that wait for one expiration: one gets it") {
  const auto seen = both<timer>({
      [](timer& w) {
        fcntl(w.fd, F_SETFL, O_NONBLOCK);
        set(w.fd, in(ms));
        pollfd one{w.fd, POLLIN, 0};
        poll(&one, 1, -1);
        w.note(0, expirations(w.fd));
        w.call_has_ended();
      },
      [](timer& w) {
        w.await_its_end();
        w.note(1, expirations(w.fd));
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == -EAGAIN);
}

TEST_CASE("an edge of a timer is told once until it is read, or asked how much time is left") {
  const auto seen = both<timer>({[](timer& w) {
    const auto epoll = epoll_create1(0);
    epoll_event edge{};
    edge.events = EPOLLIN | EPOLLET;
    epoll_ctl(epoll, EPOLL_CTL_ADD, w.fd, &edge);
    set(w.fd, in(20 * ms, 20 * ms));
    w.note(0, epoll_wait(epoll, &edge, 1, -1));
    w.note(1, epoll_wait(epoll, &edge, 1, 100));  // it stands still
    pollfd one{w.fd, POLLIN, 0};
    w.note(2, poll(&one, 1, 0));
    itimerspec left{};
    w.note_error(3, timerfd_gettime(w.fd, &left));
    w.note(4, left.it_value.tv_sec == 0 && left.it_value.tv_nsec <= 20 * ms);
    w.note(5, left.it_interval.tv_nsec);
    w.note(6, epoll_wait(epoll, &edge, 1, -1));  // and goes on
    w.note(7, epoll_wait(epoll, &edge, 1, 100));
    w.note(8, expirations(w.fd) >= 7);  // those in between count as well
    w.note(9, epoll_wait(epoll, &edge, 1, -1));
    w.note(10, expirations(w.fd) >= 1);
    close(epoll);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 20 * ms);
  CHECK(seen[6] == 1);
  CHECK(seen[7] == 0);
  CHECK(seen[8] == 1);
  CHECK(seen[9] == 1);
  CHECK(seen[10] == 1);
}

TEST_CASE("asking a timer that expired once does not make it expire again") {
  const auto seen = both<timer>({[](timer& w) {
    const auto epoll = epoll_create1(0);
    epoll_event edge{};
    edge.events = EPOLLIN | EPOLLET;
    epoll_ctl(epoll, EPOLL_CTL_ADD, w.fd, &edge);
    set(w.fd, in(ms));
    w.note(0, epoll_wait(epoll, &edge, 1, -1));
    itimerspec left = in(1, 1);
    w.note_error(1, timerfd_gettime(w.fd, &left));
    w.note(2, left.it_value.tv_nsec + left.it_interval.tv_nsec);
    w.note(3, epoll_wait(epoll, &edge, 1, 20));
    w.note(4, expirations(w.fd));
    set(w.fd, in(ms));
    w.note(5, epoll_wait(epoll, &edge, 1, -1));
    close(epoll);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 1);
}

// Signals behind descriptors: signalfd.
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::block;
using forkloom::semantics::both;
using forkloom::semantics::read_one;
using forkloom::semantics::set_of;
using forkloom::semantics::signalled;

int descriptor_of(std::initializer_list<int> signals, int flags = 0) {
  const auto set = set_of(signals);
  return signalfd(-1, &set, flags);
}

// Blocked, and behind a descriptor.
int blocked_behind(std::initializer_list<int> signals, int flags = 0) {
  block(signals);
  return descriptor_of(signals, flags);
}

signalfd_siginfo taken_from(int fd) {
  signalfd_siginfo info{};
  if (read(fd, &info, sizeof info) != sizeof info) info.ssi_signo = 0;
  return info;
}

long number_from(int fd) { return static_cast<long>(taken_from(fd).ssi_signo); }

// The receiver waits as it is told, with a descriptor of SIGUSR1; the other one then sends that.
template <long (*wait)(signalled&, int fd)>
auto received() {
  return both<signalled>({
      [](signalled& w) {
        w.receive();
        const int fd = blocked_behind({SIGUSR1});
        w.note(0, wait(w, fd));
        w.call_has_ended();
        w.note(1, number_from(fd));
        close(fd);
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        w.note_error(2, kill(to, SIGUSR1));
        w.await_its_end();
      },
  });
}

long poll_for(signalled& w, int fd) {
  pollfd one{fd, POLLIN, 0};
  w.next_call_waits();
  return 10 * poll(&one, 1, -1) + one.revents;
}

long select_for(signalled& w, int fd) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  w.next_call_waits();
  return 10 * select(fd + 1, &set, nullptr, nullptr, nullptr) + FD_ISSET(fd, &set);
}

}  // namespace

TEST_CASE("a read of a signalfd waits for a signal and tells who sent it, and with which value") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.receive();
        const int fd = blocked_behind({SIGUSR1, SIGUSR2});
        w.next_call_waits();
        const auto info = taken_from(fd);
        w.note(0, static_cast<long>(info.ssi_signo));
        w.note(1, info.ssi_code);
        w.note(2, info.ssi_int);
        w.note(3, info.ssi_pid == static_cast<std::uint32_t>(w.log[0].sender.load()));
        close(fd);
      },
      [](signalled& w) {
        w.log[0].sender = getpid();
        sigqueue(w.await_waiting_receiver(), SIGUSR2, sigval{.sival_int = 7});
      },
  });
  CHECK(seen[0] == SIGUSR2);
  CHECK(seen[1] == SI_QUEUE);
  CHECK(seen[2] == 7);
  CHECK(seen[3] == 1);
}

TEST_CASE("one read of a signalfd takes what there is room for, lower numbers first") {
  const auto seen = both<signalled>({[](signalled& w) {
    const int fd = blocked_behind({SIGUSR1, SIGUSR2, SIGRTMIN});
    sigqueue(getpid(), SIGRTMIN, sigval{.sival_int = 1});
    sigqueue(getpid(), SIGRTMIN, sigval{.sival_int = 2});
    raise(SIGUSR2);
    raise(SIGUSR2);
    kill(getpid(), SIGUSR1);
    std::array<signalfd_siginfo, 3> infos{};
    w.note(0, read(fd, infos.data(), sizeof infos) == sizeof infos);
    std::array<signalfd_siginfo, 3> more{};
    const std::array<iovec, 2> parts{{{more.data(), sizeof more[0]}, {&more[1], sizeof more[0]}}};
    w.note(1, readv(fd, parts.data(), 2) == sizeof more[0]);
    for (std::size_t i = 0; i < 3; ++i) w.note(2 + i, static_cast<long>(infos[i].ssi_signo));
    w.note(5, static_cast<long>(more[0].ssi_signo));
    w.note(6, infos[2].ssi_int);
    w.note(7, more[0].ssi_int);
    close(fd);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  // Those for the thread come before those for its process.
  CHECK(seen[2] == SIGUSR2);
  CHECK(seen[3] == SIGUSR1);
  CHECK(seen[4] == SIGRTMIN);
  CHECK(seen[5] == SIGRTMIN);
  CHECK(seen[6] == 1);
  CHECK(seen[7] == 2);
}

TEST_CASE("a signalfd that does not wait says EAGAIN, and one that cannot be says why") {
  const auto seen = both<signalled>({[](signalled& w) {
    const int fd = blocked_behind({SIGUSR1}, SFD_NONBLOCK | SFD_CLOEXEC);
    w.note(0, read_one(fd));
    signalfd_siginfo info{};
    w.note_error(1, read(fd, &info, sizeof info));
    raise(SIGUSR1);
    w.note(2, read_one(fd));
    w.note(3, number_from(fd));
    w.note_error(4, write(fd, &info, sizeof info));
    w.note(5, fcntl(fd, F_GETFL) & O_NONBLOCK);
    w.note(6, fcntl(fd, F_GETFD));
    close(fd);
    const auto set = set_of({SIGUSR1});
    w.note_error(7, signalfd(-1, &set, 1 << 30));
    w.note_error(8, signalfd(0x7fff, &set, 0));
    w.note_error(9, signalfd(0, &set, 0));
    w.note_error(10, syscall(SYS_signalfd4, -1, &set, 16, 0));
  }});
  CHECK(seen[0] == -EINVAL);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == -EINVAL);
  CHECK(seen[3] == SIGUSR1);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == O_NONBLOCK);
  CHECK(seen[6] == FD_CLOEXEC);
  CHECK(seen[7] == EINVAL);
  CHECK(seen[8] == EBADF);
  CHECK(seen[9] == EINVAL);
  CHECK(seen[10] == EINVAL);
}

TEST_CASE("a poll for a signalfd ends when one of its signals comes") {
  const auto seen = received<poll_for>();
  CHECK(seen[0] == 10 + POLLIN);
  CHECK(seen[1] == SIGUSR1);
}

TEST_CASE("a select for a signalfd ends when one of its signals comes") {
  const auto seen = received<select_for>();
  CHECK(seen[0] == 11);
  CHECK(seen[1] == SIGUSR1);
}

TEST_CASE(
    "an epoll with a signalfd in its list ends its wait when a signal comes, and is then dry") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.receive();
        const int fd = blocked_behind({SIGUSR1});
        const int epoll = epoll_create1(0);
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        w.next_call_waits();
        w.note(0, epoll_wait(epoll, &event, 1, -1));
        w.note(1, event.data.fd == fd);
        w.note(2, number_from(fd));
        w.note(3, epoll_wait(epoll, &event, 1, 0));
        close(epoll);
        close(fd);
      },
      [](signalled& w) { kill(w.await_waiting_receiver(), SIGUSR1); },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == SIGUSR1);
  CHECK(seen[3] == 0);
}

TEST_CASE(
    "a signal that is not blocked goes to the read that waits for it, and else to its handler") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1);
        const int fd = descriptor_of({SIGUSR1});
        w.next_call_waits();
        w.note(0, number_from(fd));
        w.note(1, static_cast<long>(w.handled));
        raise(SIGUSR1);
        w.note(2, static_cast<long>(w.handled));
        close(fd);
      },
      [](signalled& w) { kill(w.await_waiting_receiver(), SIGUSR1); },
  });
  CHECK(seen[0] == SIGUSR1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

TEST_CASE("a signalfd that is given another mask lets a waiting thread find what is pending") {
  const auto seen = both<signalled>({[](signalled& w) {
    static int fd;
    static signalled* world;
    world = &w;
    fd = blocked_behind({SIGUSR1});
    block({SIGUSR2});
    kill(getpid(), SIGUSR2);
    pthread_t thread{};
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          world->note(0, number_from(fd));
          return nullptr;
        },
        nullptr);
    usleep(20'000);
    const auto both_of_them = set_of({SIGUSR1, SIGUSR2});
    w.note(1, signalfd(fd, &both_of_them, 0) == fd);
    pthread_join(thread, nullptr);
    close(fd);
  }});
  CHECK(seen[0] == SIGUSR2);
  CHECK(seen[1] == 1);
}

TEST_CASE("the death of a child is read from a signalfd") {
  const auto seen = both<signalled>({[](signalled& w) {
    const int fd = blocked_behind({SIGCHLD});
    const auto child = fork();
    if (child == 0) _exit(3);
    const auto info = taken_from(fd);
    w.note(0, static_cast<long>(info.ssi_signo));
    w.note(1, info.ssi_pid == static_cast<std::uint32_t>(child));
    w.note(2, info.ssi_status);
    w.note(3, waitpid(child, nullptr, 0) == child);
    close(fd);
  }});
  CHECK(seen[0] == SIGCHLD);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 3);
  CHECK(seen[3] == 1);
}

TEST_CASE("the signals of periodic timers are read from a signalfd again and again") {
  const auto seen = both<signalled>({[](signalled& w) {
    const int fd = blocked_behind({SIGALRM, SIGUSR1});
    const itimerval often{.it_interval = {0, 5'000}, .it_value = {0, 5'000}};
    setitimer(ITIMER_REAL, &often, nullptr);
    for (std::size_t i = 0; i < 3; ++i) w.note(i, number_from(fd));
    setitimer(ITIMER_REAL, nullptr, nullptr);
    sigevent how{};
    how.sigev_notify = SIGEV_SIGNAL;
    how.sigev_signo = SIGUSR1;
    timer_t timer{};
    timer_create(CLOCK_MONOTONIC, &how, &timer);
    const itimerspec period{.it_interval = {0, 5'000'000}, .it_value = {0, 5'000'000}};
    timer_settime(timer, 0, &period, nullptr);
    pollfd one{fd, POLLIN, 0};
    while (number_from(fd) != SIGUSR1) continue;  // an alarm may have been pending
    w.note(3, poll(&one, 1, -1));
    w.note(4, number_from(fd));
    timer_delete(timer);
    close(fd);
  }});
  for (std::size_t i = 0; i < 3; ++i) CHECK(seen[i] == SIGALRM);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == SIGUSR1);
}

TEST_CASE("a child that inherits a signalfd finds its own signals there") {
  const auto seen = both<signalled>({[](signalled& w) {
    const int fd = blocked_behind({SIGUSR1, SIGUSR2}, SFD_NONBLOCK);
    kill(getpid(), SIGUSR1);
    const auto child = fork();
    if (child == 0) {
      w.note(0, read_one(fd));
      w.note(1, number_from(fd));
      raise(SIGUSR2);
      w.note(2, number_from(fd));
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    const int copy = dup(fd);
    close(fd);
    w.note(3, number_from(copy));
    close(copy);
  }});
  CHECK(seen[0] == -EINVAL);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SIGUSR2);
  CHECK(seen[3] == SIGUSR1);
}

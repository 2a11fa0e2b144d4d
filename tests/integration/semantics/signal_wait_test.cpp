// Waiting for signals.
#include <time.h>

#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::block;
using forkloom::semantics::both;
using forkloom::semantics::set_of;
using forkloom::semantics::signalled;

}  // namespace

TEST_CASE("pause returns after a handler, with SA_RESTART as well") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1, SA_RESTART);
        w.next_call_waits();
        w.note_error(0, pause());
        w.note(1, static_cast<long>(w.handled));
      },
      [](signalled& w) { kill(w.await_waiting_receiver(), SIGUSR1); },
  });
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == 1);
}

TEST_CASE("pause sleeps through signals that are ignored") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1);
        signal(SIGUSR2, SIG_IGN);
        w.next_call_waits();
        w.note_error(0, pause());
        w.note(1, static_cast<long>(w.handled));
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        kill(to, SIGUSR2);
        kill(to, SIGCHLD);
        usleep(5000);
        kill(to, SIGUSR1);
      },
  });
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == 1);
}

TEST_CASE("sigsuspend lets in what its mask allows, and puts the former mask back") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1);
        w.on(SIGUSR2);
        block({SIGUSR1});
        const auto only_second = set_of({SIGUSR2});
        w.next_call_waits();
        w.note_error(0, sigsuspend(&only_second));
        w.note(1, w.log[0].signal);
        sigset_t now;
        sigprocmask(SIG_BLOCK, nullptr, &now);
        w.note(2, sigismember(&now, SIGUSR1));
        w.note(3, sigismember(&now, SIGUSR2));
        w.note(4, static_cast<long>(w.handled));
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        kill(to, SIGUSR2);
        kill(to, SIGUSR1);
      },
  });
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == SIGUSR1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 2);
}

TEST_CASE("sigsuspend does not miss what has come before it") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1);
    block({SIGUSR1});
    raise(SIGUSR1);
    w.note(0, static_cast<long>(w.handled));
    const auto none = set_of({});
    w.note_error(1, sigsuspend(&none));
    w.note(2, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EINTR);
  CHECK(seen[2] == 1);
}

TEST_CASE("of two signals that sigsuspend lets in, the second one waits if the first blocks it") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1, 0, SIGUSR2);
    w.on(SIGUSR2);
    block({SIGUSR1, SIGUSR2});
    raise(SIGUSR2);
    raise(SIGUSR1);
    const auto none = set_of({});
    sigsuspend(&none);
    w.note(0, static_cast<long>(w.handled));
    w.note(1, w.log[0].signal);
    sigsuspend(&none);
    w.note(2, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == SIGUSR1);
  CHECK(seen[2] == 2);
}

TEST_CASE("sigwait and its kin take a blocked signal without a handler") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1);
        const auto set = set_of({SIGUSR1, SIGRTMIN});
        sigprocmask(SIG_BLOCK, &set, nullptr);
        int got = 0;
        w.next_call_waits();
        w.note(0, sigwait(&set, &got));
        w.note(1, got);
        siginfo_t info{};
        w.note(9, 1);
        w.note(2, sigwaitinfo(&set, &info) == SIGRTMIN);
        w.note(3, info.si_code);
        w.note(4, info.si_value.sival_int);
        w.note(5, static_cast<long>(w.handled));
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        kill(to, SIGUSR1);
        while (w.seen[9] != 1) usleep(1000);
        sigqueue(to, SIGRTMIN, sigval{.sival_int = 5});
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == SIGUSR1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == SI_QUEUE);
  CHECK(seen[4] == 5);
  CHECK(seen[5] == 0);
}

TEST_CASE("sigtimedwait gives up in time, and at once without patience") {
  const auto seen = both<signalled>({[](signalled& w) {
    block({SIGUSR1});
    const auto set = set_of({SIGUSR1});
    const timespec soon{.tv_sec = 0, .tv_nsec = 2'000'000};
    const timespec none{};
    const timespec bad{.tv_sec = 0, .tv_nsec = -1};
    w.note_error(0, sigtimedwait(&set, nullptr, &none));
    w.note_error(1, sigtimedwait(&set, nullptr, &soon));
    w.note_error(2, sigtimedwait(&set, nullptr, &bad));
    raise(SIGUSR1);
    w.note(3, sigtimedwait(&set, nullptr, &none));
    w.note_error(4, sigtimedwait(&set, nullptr, &none));
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == SIGUSR1);
  CHECK(seen[4] == EAGAIN);
}

TEST_CASE("sigwait goes on after the handler of another signal, sigwaitinfo does not") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR2, SA_RESTART);
        block({SIGUSR1});
        const auto set = set_of({SIGUSR1});
        int got = 0;
        w.next_call_waits();
        w.note(0, sigwait(&set, &got));
        w.note(1, got);
        w.note(2, static_cast<long>(w.handled));
        w.note(9, 1);
        w.note_error(3, sigwaitinfo(&set, nullptr));
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        kill(to, SIGUSR2);
        w.await_handled(1);
        kill(to, SIGUSR1);
        while (w.seen[9] != 1) usleep(1000);
        w.await_waiter();
        kill(to, SIGUSR2);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == SIGUSR1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EINTR);
}

TEST_CASE("a sleep that a handler ends tells what was left of it") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1, SA_RESTART);
        w.next_call_waits();
        const auto left = sleep(100);
        w.note(0, left >= 90 && left <= 100);
        w.note(9, 1);
        const timespec long_time{.tv_sec = 100, .tv_nsec = 0};
        timespec rest{};
        w.note_error(1, nanosleep(&long_time, &rest));
        w.note(2, rest.tv_sec >= 90 && rest.tv_sec < 100);
        w.note(9, 2);
        timespec untouched{.tv_sec = 7, .tv_nsec = 7};
        timespec until{};
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 100;
        w.note(3, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &untouched));
        w.note(4, untouched.tv_sec);
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        kill(to, SIGUSR1);
        for (const long turn : {1, 2}) {
          while (w.seen[9] != turn) usleep(1000);
          w.await_waiter();
          kill(to, SIGUSR1);
        }
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EINTR);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EINTR);
  CHECK(seen[4] == 7);
}

// Timers that end in a signal.
#include <sys/time.h>
#include <time.h>

#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::block;
using forkloom::semantics::both;
using forkloom::semantics::set_of;
using forkloom::semantics::signalled;

constexpr itimerspec once_in(long ms, long again_ms = 0) {
  return {.it_interval = {.tv_sec = 0, .tv_nsec = again_ms * 1'000'000},
          .it_value = {.tv_sec = 0, .tv_nsec = ms * 1'000'000}};
}

sigevent sends(int signal, int value) {
  sigevent how{};
  how.sigev_notify = SIGEV_SIGNAL;
  how.sigev_signo = signal;
  how.sigev_value.sival_int = value;
  return how;
}

long elapsed_ms(const timespec& since) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - since.tv_sec) * 1000 + (now.tv_nsec - since.tv_nsec) / 1'000'000;
}

}  // namespace

TEST_CASE("alarm interrupts a pause after a second") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGALRM, SA_SIGINFO);
    timespec start{};
    clock_gettime(CLOCK_MONOTONIC, &start);
    w.note(0, alarm(1));
    w.note_error(1, pause());
    const auto after = elapsed_ms(start);
    w.note(2, after >= 990 && after < 1900);
    w.note(3, w.log[0].signal);
    w.note(4, w.log[0].code);
    w.note(5, alarm(0));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EINTR);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == SIGALRM);
  CHECK(seen[4] == SI_KERNEL);
  CHECK(seen[5] == 0);
}

TEST_CASE("alarm tells what was left of the one before, and 0 takes it back") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGALRM);
    w.note(0, alarm(100));
    w.note(1, alarm(50));
    w.note(2, alarm(0));
    w.note(3, alarm(0));
    w.note(4, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 100);
  CHECK(seen[2] == 50);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("an alarm that nobody catches ends the process") {
  const auto seen = both<signalled>({[](signalled& w) {
                                      w.note(0, 1);
                                      ualarm(1000, 0);
                                      pause();
                                      w.note(1, 1);
                                    }},
                                    forkloom::semantics::deaths::wanted);
  CHECK(seen[0] == 1);
  CHECK(seen[1] == signalled::nothing);
}

TEST_CASE("an interval timer comes again and again until it is stopped") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGALRM);
    const itimerval every{.it_interval = {.tv_sec = 0, .tv_usec = 2000},
                          .it_value = {.tv_sec = 0, .tv_usec = 3000}};
    w.note_error(0, setitimer(ITIMER_REAL, &every, nullptr));
    itimerval now{};
    w.note_error(1, getitimer(ITIMER_REAL, &now));
    w.note(2, now.it_interval.tv_usec);
    w.note(3, now.it_value.tv_usec > 0 && now.it_value.tv_usec <= 3000);
    while (w.handled < 3) pause();
    const itimerval none{};
    w.note_error(4, setitimer(ITIMER_REAL, &none, &now));
    w.note(5, now.it_interval.tv_usec);
    const auto before = w.handled.load();
    usleep(10'000);
    w.note(6, w.handled == before);
    getitimer(ITIMER_REAL, &now);
    w.note(7, now.it_value.tv_sec + now.it_value.tv_usec);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 2000);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 2000);
  CHECK(seen[6] == 1);
  CHECK(seen[7] == 0);
}

TEST_CASE("times that are none are refused by interval timers") {
  const auto seen = both<signalled>({[](signalled& w) {
    const itimerval much{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 1'000'000}};
    const itimerval past{.it_interval = {}, .it_value = {.tv_sec = -1, .tv_usec = 0}};
    w.note_error(0, setitimer(ITIMER_REAL, &much, nullptr));
    w.note_error(1, setitimer(ITIMER_REAL, &past, nullptr));
    timer_t timer{};
    w.note_error(2, timer_create(99, nullptr, &timer));
    w.note_error(3, timer_create(CLOCK_MONOTONIC, nullptr, &timer));
    const itimerspec bad{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = -1}};
    w.note_error(4, timer_settime(timer, 0, &bad, nullptr));
    w.note_error(5, timer_delete(timer));
    w.note_error(6, timer_delete(timer));
  }});
  for (const std::size_t i : {0, 1, 2, 4, 6}) CHECK(seen[i] == EINVAL);
  CHECK(seen[3] == 0);
  CHECK(seen[5] == 0);
}

TEST_CASE("a POSIX timer sends its signal with its value") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGRTMIN, SA_SIGINFO);
    timer_t timer{};
    auto how = sends(SIGRTMIN, 11);
    w.note_error(0, timer_create(CLOCK_MONOTONIC, &how, &timer));
    const auto soon = once_in(3);
    w.note_error(1, timer_settime(timer, 0, &soon, nullptr));
    while (w.handled == 0) pause();
    w.note(2, w.log[0].code);
    w.note(3, w.log[0].value);
    w.note(4, timer_getoverrun(timer));
    itimerspec now{};
    w.note_error(5, timer_gettime(timer, &now));
    w.note(6, now.it_value.tv_nsec + now.it_interval.tv_nsec);
    w.note_error(7, timer_delete(timer));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SI_TIMER);
  CHECK(seen[3] == 11);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == 0);
}

TEST_CASE("a timer whose signal is blocked counts what it has missed") {
  const auto seen = both<signalled>({[](signalled& w) {
    block({SIGRTMIN});
    timer_t timer{};
    auto how = sends(SIGRTMIN, 0);
    timer_create(CLOCK_MONOTONIC, &how, &timer);
    const auto often = once_in(2, 2);
    timer_settime(timer, 0, &often, nullptr);
    usleep(50'000);
    const auto set = set_of({SIGRTMIN});
    siginfo_t info{};
    w.note(0, sigwaitinfo(&set, &info) == SIGRTMIN);
    w.note(1, info.si_overrun >= 15);
    w.note(2, timer_getoverrun(timer) >= 15);
    w.note(3, sigwaitinfo(&set, &info) == SIGRTMIN);
    w.note(4, info.si_overrun < 15);
    timer_delete(timer);
  }});
  for (std::size_t i = 0; i < 5; ++i) CHECK(seen[i] == 1);
}

TEST_CASE("a timer for a point in time that has passed fires at once") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1, SA_SIGINFO);
    timer_t timer{};
    auto how = sends(SIGUSR1, 1);
    timer_create(CLOCK_REALTIME, &how, &timer);
    const itimerspec past{.it_interval = {}, .it_value = {.tv_sec = 1, .tv_nsec = 0}};
    w.note_error(0, timer_settime(timer, TIMER_ABSTIME, &past, nullptr));
    while (w.handled == 0) usleep(1000);
    w.note(1, w.log[0].value);
    itimerspec before{};
    const auto later = once_in(500);
    timer_settime(timer, 0, &later, nullptr);
    const itimerspec none{};
    w.note_error(2, timer_settime(timer, 0, &none, &before));
    w.note(3, before.it_value.tv_nsec > 100'000'000 && before.it_value.tv_nsec <= 500'000'000);
    timer_delete(timer);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("a child does not inherit timers") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGALRM);
    alarm(100);
    const auto child = fork();
    if (child == 0) {
      w.note(0, alarm(0));
      _exit(0);
    }
    while (w.seen[0] == signalled::nothing) usleep(1000);
    w.note(1, alarm(0) > 90);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

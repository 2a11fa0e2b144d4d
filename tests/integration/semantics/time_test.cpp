#include <sched.h>
#include <sys/time.h>
#include <unistd.h>

#include <ctime>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct clocks : notes {};

bool earlier(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

}  // namespace

TEST_CASE("a monotonic clock is later after a sleep") {
  const auto seen = both<clocks>({[](clocks& w) {
    timespec before{};
    timespec after{};
    w.note_error(0, clock_gettime(CLOCK_MONOTONIC, &before));
    const timespec moment{.tv_sec = 0, .tv_nsec = 1000};
    w.note_error(1, nanosleep(&moment, nullptr));
    w.note_error(2, clock_gettime(CLOCK_MONOTONIC, &after));
    w.note(3, earlier(before, after));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("clocks and sleeps refuse what the manual says they refuse") {
  const auto seen = both<clocks>({[](clocks& w) {
    timespec t{};
    w.note_error(0, clock_gettime(12345, &t));
    const timespec bad{.tv_sec = 0, .tv_nsec = 1'000'000'000};
    w.note_error(1, nanosleep(&bad, nullptr));
    w.note(2, clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, nullptr));
    w.note(3, clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, nullptr));
    w.note(4, clock_nanosleep(12345, 0, &t, nullptr));
    w.note(5, clock_nanosleep(CLOCK_MONOTONIC_COARSE, TIMER_ABSTIME, &t, nullptr));
    w.note(6, timespec_get(&t, 0));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EINVAL);
}

TEST_CASE("a sleep until a time that has passed returns at once") {
  const auto seen = both<clocks>({[](clocks& w) {
    const timespec past{.tv_sec = 1, .tv_nsec = 0};
    w.note(0, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, nullptr));
    w.note(1, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, nullptr));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("all ways to ask for real time agree") {
  const auto seen = both<clocks>({[](clocks& w) {
    timeval day{};
    timespec t{};
    const auto first = time(nullptr);
    w.note_error(0, gettimeofday(&day, nullptr));
    w.note(1, timespec_get(&t, TIME_UTC));
    w.note(2, day.tv_sec >= first && t.tv_sec >= day.tv_sec);
    w.note(3, sched_yield());
    w.note(4, usleep(1));
    w.note(5, sleep(0));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == TIME_UTC);
  CHECK(seen[2] == 1);
}

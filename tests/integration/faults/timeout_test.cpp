// Time-outs that fire early, at any time, or never.
#include <poll.h>
#include <semaphore.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "tests/integration/faults/campaign.hpp"

using namespace forkloom;
using namespace forkloom::faults_test;

namespace {

constexpr long ns_per_s = 1'000'000'000;

long now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * ns_per_s + now.tv_nsec;
}

// How a wait for a semaphore ends that has that many seconds.
int wait_for(sem_t& semaphore, long seconds) {
  timespec until{};
  ::clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += seconds;
  return ::sem_timedwait(&semaphore, &until) == 0 ? 0 : errno;
}

struct waits {
  sem_t semaphore;
  int outcome = 0;
  long took_ns = 0;

  waits() { ::sem_init(&semaphore, 1, 0); }

  void wait(long seconds) {
    const auto begin = now_ns();
    outcome = wait_for(semaphore, seconds);
    took_ns = now_ns() - begin;
  }
};

void wait_three_seconds(waits& w) { w.wait(3); }
void post(waits& w) { ::sem_post(&w.semaphore); }

void judge_time(waits& w) {
  expect(w.outcome == 0 || w.outcome == ETIMEDOUT);
  if (w.outcome == ETIMEDOUT) expect(w.took_ns >= 3 * ns_per_s);
}

}  // namespace

TEST_CASE("a time-out before the answer comes when its time has passed", "[faults]") {
  harmless<waits>(with("timeout:1"), {wait_three_seconds, post}, [](waits& w) {
    judge_time(w);
    if (faults_happened("timeout") == 0) expect(that(w.outcome) == 0);
  });
}

namespace {

template <int Expected>
void outcome_is(waits& w) {
  judge_time(w);
  expect(that(w.outcome) == Expected);
}

}  // namespace

TEST_CASE("a time-out races with the answer, and either may win", "[faults]") {
  const auto race = with("", timeout_policy::race);
  const auto finds = [&](void (*judge)(waits&)) {
    return !explored<waits>(race, {wait_three_seconds, post}, judge).findings.empty();
  };
  CHECK_FALSE(finds(judge_time));
  CHECK(finds(outcome_is<0>));
  CHECK(finds(outcome_is<ETIMEDOUT>));
}

TEST_CASE("an answer that comes at all comes before the time-out if nobody is slow", "[faults]") {
  const auto result = explored<waits>(with(""), {wait_three_seconds, post}, outcome_is<0>);
  CHECK(result.how == explore::verdict::as_expected);
}

TEST_CASE("a wait whose time-out never fires is a deadlock that says so", "[faults]") {
  const auto result =
      explored<waits>(with("", timeout_policy::never), {wait_three_seconds}, judge_time);
  REQUIRE(result.findings.size() == 1);
  const auto& found = result.findings[0].violations.at(0);
  CHECK(found.kind == violation_kind::deadlock);
  REQUIRE_FALSE(found.details.empty());
  CHECK_THAT(found.details[0], Catch::Contains("its time-out never fires"));
}

TEST_CASE("where time-outs never fire, sleeps, timers and tries still end", "[faults]") {
  const auto result =
      explored<waits>(with("", timeout_policy::never), {[](waits& w) {
                        ::sleep(1);
                        ::poll(nullptr, 0, 1000);
                        const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
                        const itimerspec in_a_second{.it_interval = {}, .it_value = {1, 0}};
                        ::timerfd_settime(timer, 0, &in_a_second, nullptr);
                        pollfd one{timer, POLLIN, 0};
                        expect(that(::poll(&one, 1, 5000)) == 1);
                        std::uint64_t ticks = 0;
                        expect(that(::read(timer, &ticks, sizeof ticks)) == 8);
                        ::close(timer);
                        w.outcome = wait_for(w.semaphore, -1);
                      }},
                      [](waits& w) { expect(that(w.outcome) == ETIMEDOUT); });
  for (const auto& f : result.findings)
    for (const auto& v : f.violations) UNSCOPED_INFO(v.message);
  CHECK(result.how == explore::verdict::as_expected);
}

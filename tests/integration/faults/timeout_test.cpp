// Time-outs that fire early, at any time, or never.
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
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
    return comes_to<waits>(race, {wait_three_seconds, post}, judge);
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

TEST_CASE("a time-out that never fires does not when its time has passed, either", "[faults]") {
  // Who is woken, and finds that another one was faster, waits anew.
  const auto result = explored<waits>(
      with("", timeout_policy::never),
      {[](waits& w) { w.wait(1); }, [](waits& w) { expect(that(::sem_wait(&w.semaphore)) == 0); },
       [](waits& w) {
         for (int i = 0; i < 2; ++i) {
           ::sleep(5);
           ::sem_post(&w.semaphore);
         }
       }},
      [](waits& w) { expect(that(w.outcome) == 0); });
  CHECK(result.how == explore::verdict::as_expected);
}

namespace {

struct early {
  forkloom::shared<int> steps{0};
  bool was_early = false;

  void take_steps() {
    for (int i = 0; i < 20; ++i) steps.fetch_add(1);
  }
};

void take_steps(early& w) { w.take_steps(); }

void sleep_an_hour(early& w) {
  ::sleep(3600);
  w.was_early = w.steps.load() < 20;
}

// Set by a handler.
volatile sig_atomic_t rang = 0;

void set_alarm(early& w) {
  ::signal(SIGALRM, [](int) { rang = 1; });
  ::alarm(1);
  w.take_steps();
  w.was_early = rang == 1;
  ::alarm(0);
}

void never_early(early& w) { expect(!w.was_early); }

}  // namespace

TEST_CASE("a sleep or a timer that ends early is no time-out, but times race", "[faults]") {
  const auto body = GENERATE(&sleep_an_hour, &set_alarm);
  CHECK(comes_to<early>(with("", timeout_policy::race), {body, take_steps}, never_early));
  const auto result = explored<early>(with("timeout:1"), {body, take_steps}, never_early);
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

namespace {

// Two that wait, one for longer than the other.
struct pair_of_waits {
  waits brief;
  waits patient;
  forkloom::shared<int> steps{0};
};

}  // namespace

TEST_CASE("time may pass until any of several time-outs, and then all before have come",
          "[faults]") {
  const auto brief = [](pair_of_waits& w) { w.brief.wait(3); };
  const auto patient = [](pair_of_waits& w) { w.patient.wait(9); };
  const auto posts = [](pair_of_waits& w) {
    ::sem_post(&w.brief.semaphore);
    ::sem_post(&w.patient.semaphore);
  };
  const auto race = with("", timeout_policy::race);
  CHECK(comes_to<pair_of_waits>(race, {brief, patient, posts}, [](pair_of_waits& w) {
    expect(w.brief.took_ns < 9 * ns_per_s || w.brief.outcome == 0);
  }));
  // The patient one waits long before the other does, but time need not pass until its end.
  const auto begins = [](pair_of_waits& w) {
    w.steps = 1;
    w.patient.wait(9);
  };
  const auto follows = [](pair_of_waits& w) {
    while (w.steps.load() == 0) continue;
    for (int i = 0; i < 20; ++i) w.steps.fetch_add(1);
    w.brief.wait(3);
    ::sem_post(&w.patient.semaphore);
  };
  CHECK(comes_to<pair_of_waits>(race, {begins, follows}, [](pair_of_waits& w) {
    expect(w.brief.outcome == 0 || w.patient.outcome != 0 || w.brief.took_ns >= 9 * ns_per_s);
  }));
}

TEST_CASE("where time-outs race, a bound on faults does not hold them up", "[faults]") {
  const auto both = [](pair_of_waits& w) {
    w.brief.wait(3);
    w.patient.wait(9);
  };
  const auto posts = [](pair_of_waits& w) {
    for (int i = 0; i < 20; ++i) w.steps.fetch_add(1);
    ::sem_post(&w.brief.semaphore);
    ::sem_post(&w.patient.semaphore);
  };
  const auto judge = [](pair_of_waits& w) {
    expect(w.brief.outcome == 0 || w.patient.outcome == 0);
  };
  CHECK(comes_to<pair_of_waits>(with("timeout:1", timeout_policy::race), {both, posts}, judge));
  CHECK_FALSE(comes_to<pair_of_waits>(with("timeout:1"), {both, posts}, judge));
}

TEST_CASE("who is interrupted does not wait for the end of its time", "[faults]") {
  harmless<waits>(with("eintr:1"), {wait_three_seconds}, [](waits& w) {
    expect(that(w.outcome) == (faults_happened("eintr") == 1 ? EINTR : ETIMEDOUT));
    expect(w.outcome != EINTR || w.took_ns < ns_per_s);
  });
}

TEST_CASE("a process may be killed while it waits", "[faults]") {
  auto how = with("kill:1");
  how.strategy = "dfs";
  const auto result = explored<waits>(how, {wait_three_seconds}, [](waits&) {});
  CHECK(result.how == explore::verdict::as_expected);
  // Before it begins, before each of its four calls, in the wait, or not at all.
  CHECK(result.executions == 7);
}

namespace {

struct awaited_step {
  forkloom::shared<int> flag{0};
};

}  // namespace

TEST_CASE("who looks at memory again and again has no time-out", "[faults]") {
  const auto result = explored<awaited_step>(with("timeout:1"),
                                             {[](awaited_step& w) {
                                                while (w.flag.load() == 0) continue;
                                              },
                                              [](awaited_step& w) {
                                                ::sleep(3);
                                                w.flag = 1;
                                              }},
                                             [](awaited_step&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

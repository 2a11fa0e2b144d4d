// Who is named as the one that a task waits for which waits for many descriptors, in executions
// that really deadlock.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "forkloom/scenario.hpp"
#include "framework/explore/campaign.hpp"
#include "tests/catch.hpp"

namespace {

using forkloom::scenario;

// What is found first.
std::string found_in(void (*body)(scenario&)) {
  forkloom::scenario_info info{.name = "waits for many",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body = body,
                               .defaults = {}};
  info.defaults.checkers = {"deadlock"};
  const auto result = forkloom::explore::run_campaign(info, info.defaults);
  CAPTURE(result.message);
  CHECK(result.uncontrolled.empty());
  REQUIRE(result.findings.size() == 1);
  return result.findings[0].violations.at(0).message;
}

struct ends {
  std::array<int, 2> fds{-1, -1};
  ends() { static_cast<void>(pipe(fds.data())); }
  [[nodiscard]] int in() const { return fds[0]; }
  [[nodiscard]] int out() const { return fds[1]; }
};

void take(int event) {
  eventfd_t value = 0;
  static_cast<void>(eventfd_read(event, &value));
}

void await(int fd, short events) {
  pollfd one{fd, events, 0};
  static_cast<void>(poll(&one, 1, -1));
}

}  // namespace

TEST_CASE("two tasks that wait for each other's eventfds deadlock") {
  CHECK(found_in([](scenario& scenario) {
          const auto one = eventfd(0, 0);
          const auto other = eventfd(0, 0);
          scenario.process("a", [=] { take(one); });
          scenario.process("b", [=] { take(other); });
        }) ==
        "a waits for eventfd 1 that only b could release and b waits for eventfd 2 that only a "
        "could release");
}

TEST_CASE("an eventfd that nobody else has open is waited for in vain, though others have others") {
  CHECK(found_in([](scenario& scenario) {
          const auto one = eventfd(0, 0);
          const auto other = eventfd(0, 0);
          scenario.process("a", [=] { take(one); });
          scenario.process("b", [=] {
            close(one);
            take(other);
          });
        }) == "a waits for eventfd 1 for ever, with nobody left to release it: a missing writer");
}

TEST_CASE("who polls for data waits for a writer, and another reader is no help") {
  CHECK(found_in([](scenario& scenario) {
          const ends p;
          const auto event = eventfd(0, 0);
          scenario.process("poller", [=] {
            close(p.out());
            await(p.in(), POLLIN);
          });
          scenario.process("writer", [=] {
            close(p.in());
            take(event);
          });
          scenario.process("reader", [=] {
            close(p.out());
            usleep(1);
            await(event, POLLIN);
          });
        }).starts_with("poller waits for pipe 1 that only writer could release"));
}

TEST_CASE("a select waits for any of its set, so whoever can help with one can help") {
  const auto found = found_in([](scenario& scenario) {
    const ends p;
    const ends q;
    const auto event = eventfd(0, 0);
    scenario.process("selector", [=] {
      close(p.out());
      close(q.out());
      fd_set set;
      FD_ZERO(&set);
      FD_SET(p.in(), &set);
      FD_SET(q.in(), &set);
      static_cast<void>(select(1 + std::max(p.in(), q.in()), &set, nullptr, nullptr, nullptr));
    });
    scenario.process("first", [=] {
      close(q.out());
      take(event);
    });
    scenario.process("second", [=] {
      close(p.out());
      take(event);
    });
  });
  CHECK_THAT(found, Catch::StartsWith("selector waits for pipe ") &&
                        Catch::Contains(" that only first and second could release"));
}

TEST_CASE("an epoll waits for what is in its list") {
  CHECK(found_in([](scenario& scenario) {
          const auto event = eventfd(0, 0);
          scenario.process("waiter", [=] {
            const auto epoll = epoll_create1(0);
            epoll_event what{};
            what.events = EPOLLIN;
            epoll_ctl(epoll, EPOLL_CTL_ADD, event, &what);
            static_cast<void>(epoll_wait(epoll, &what, 1, -1));
          });
          scenario.process("taker", [=] { take(event); });
        }) ==
        "waiter waits for eventfd 1 or epoll 1 that only taker could release and taker waits for "
        "eventfd 1 that only waiter could release");
}

TEST_CASE(
    "who waits for a timer that is set does not deadlock, who waits for one that is not does") {
  CHECK(found_in([](scenario& scenario) {
          scenario.process("waiter", [] {
            const auto timer = timerfd_create(CLOCK_MONOTONIC, 0);
            const itimerspec hour{.it_interval = {}, .it_value = {.tv_sec = 3600, .tv_nsec = 0}};
            timerfd_settime(timer, 0, &hour, nullptr);
            std::uint64_t count = 0;
            for (int i = 0; i < 2; ++i) static_cast<void>(read(timer, &count, sizeof count));
          });
        }) ==
        "waiter waits for timerfd 1 for ever, with nobody left to release it: a missing "
        "writer");
}

TEST_CASE("who waits for more than can be listed may be helped by anybody") {
  CHECK(found_in([](scenario& scenario) {
          static std::array<int, 20> events{};
          for (auto& fd : events) fd = eventfd(0, 0);
          scenario.process("poller", [] {
            std::array<pollfd, 20> set{};
            for (std::size_t i = 0; i < set.size(); ++i) set[i] = {events[i], POLLIN, 0};
            static_cast<void>(poll(set.data(), set.size(), -1));
          });
          scenario.process("other", [] {
            const auto own = eventfd(0, 0);
            for (const auto fd : events) close(fd);
            take(own);
          });
        }).starts_with("other waits for eventfd 21 for ever"));
}

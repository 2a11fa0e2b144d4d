// What is no progress, and what is not under control, is said of a campaign.
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/select.h>

#include "tests/integration/semantics/both.hpp"

namespace {

using namespace forkloom;

explore::campaign_result explore_once(void (*body)(scenario&), bool hangs) {
  scenario_info info{.name = "limits",
                     .tags = {},
                     .file = __FILE__,
                     .line = __LINE__,
                     .body = body,
                     .defaults = {}};
  info.defaults.executions = 1;
  info.defaults.progress_limit = 300;
  info.defaults.checkers = {"expectation", "deadlock", "exit", "hang"};
  if (hangs) info.defaults.expects = {violation_kind::hang};
  return explore::run_campaign(info, info.defaults);
}

// Two ends of a pipe, in the process that calls it.
struct own_pipe {
  int ends[2] = {-1, -1};
  own_pipe() { static_cast<void>(::pipe(ends)); }
};

// A queue without a name, for one message of one byte.
mqd_t own_queue() {
  mq_attr attributes{};
  attributes.mq_maxmsg = attributes.mq_msgsize = 1;
  const auto queue = mq_open("/limits", O_CREAT | O_RDWR, 0600, &attributes);
  mq_unlink("/limits");
  return queue;
}

int ask_to_be_notified(mqd_t queue, int by) {
  sigevent how{};
  how.sigev_notify = by;
  how.sigev_signo = SIGUSR1;
  how.sigev_notify_function = [](sigval) {};
  return mq_notify(queue, &how);
}

// The calls that were not under control, without the lines that made them.
std::vector<std::string> names(const explore::campaign_result& result) {
  std::vector<std::string> calls;
  for (const auto& line : result.uncontrolled) calls.push_back(line.substr(0, line.find(" at ")));
  return calls;
}

void require_livelock(const explore::campaign_result& result) {
  INFO(result.message);
  REQUIRE(result.how == explore::verdict::as_expected);
  REQUIRE(result.findings.size() == 1);
  CHECK(result.findings[0].what_happened.how == ending::step_limit);
  CHECK(result.findings[0].what_happened.detail == "300 steps without progress");
}

}  // namespace

TEST_CASE("a loop over the end of the data is no progress") {
  require_livelock(explore_once(
      [](scenario& s) {
        s.process("reader", [] {
          const own_pipe p;
          close(p.ends[1]);
          char byte = 0;
          while (read(p.ends[0], &byte, 1) == 0) continue;
        });
      },
      true));
}

TEST_CASE("a loop over writes of nothing is no progress") {
  require_livelock(explore_once(
      [](scenario& s) {
        s.process("writer", [] {
          const own_pipe p;
          while (write(p.ends[1], "", 0) == 0) continue;
        });
      },
      true));
}

TEST_CASE("a poll that waits for what is not scheduled is named as not under control") {
  const auto result = explore_once(
      [](scenario& s) {
        s.process("poller", [] {
          const own_pipe p;
          pollfd set[] = {{p.ends[0], POLLIN, 0}, {inotify_init(), POLLIN, 0}};
          expect(poll(set, 2, 10) == 0);
        });
      },
      false);
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(names(result) == std::vector<std::string>{"poll"});
  CHECK(result.uncontrolled.at(0).find("limits_test.cpp:") != std::string::npos);
}

TEST_CASE("whichever call waits for an inotify, it is named with its line") {
  const auto result = explore_once(
      [](scenario& s) {
        s.process("watcher", [] {
          const auto fd = inotify_init1(IN_NONBLOCK);
          pollfd one{fd, POLLIN, 0};
          expect(poll(&one, 1, 10) == 0);
          fd_set set;
          FD_ZERO(&set);
          FD_SET(fd, &set);
          timeval soon{.tv_sec = 0, .tv_usec = 10'000};
          expect(select(fd + 1, &set, nullptr, nullptr, &soon) == 0);
          const auto epoll = epoll_create1(0);
          epoll_event wish{};
          wish.events = EPOLLIN;
          epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wish);
          expect(epoll_wait(epoll, &wish, 1, 10) == 0);
          char nothing = 0;
          expect(read(fd, &nothing, 1) == -1);  // this one does not wait
        });
      },
      false);
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(names(result) == std::vector<std::string>{"poll", "select", "epoll wait"});
  for (const auto& line : result.uncontrolled)
    CHECK(line.find("limits_test.cpp:") != std::string::npos);
}

TEST_CASE("a read that waits for an inotify is named, and no deadlock but an error") {
  const auto result = explore_once(
      [](scenario& s) {
        s.process("reader", [] {
          char nothing = 0;
          static_cast<void>(read(inotify_init(), &nothing, 1));
        });
      },
      false);
  CHECK(result.how == explore::verdict::error);
  CHECK(result.message ==
        "reader is not under control: it sleeps in read for a descriptor that Forkloom does not "
        "schedule");
  REQUIRE(names(result) == std::vector<std::string>{"read", result.message});
  CHECK(result.uncontrolled[0].find("limits_test.cpp:") != std::string::npos);
}

TEST_CASE("a read of an inotify sees what another task does to what it watches") {
  const auto result = explore_once(
      [](scenario& s) {
        static int fd = -1;
        fd = inotify_init();
        inotify_add_watch(fd, "/dev/shm", IN_CREATE);
        s.process("reader", [] {
          alignas(inotify_event) char events[512];
          expect(read(fd, events, sizeof events) > 0);
        });
        s.process("maker", [] { close(shm_open("/forkloom-limits", O_RDWR | O_CREAT, 0600)); });
        s.finally([] { shm_unlink("/forkloom-limits"); });
      },
      false);
  CHECK(result.how == explore::verdict::as_expected);
}

TEST_CASE("a poll that needs no wait for what is not scheduled is under control") {
  const auto result = explore_once(
      [](scenario& s) {
        s.process("poller", [] {
          const own_pipe p;
          write(p.ends[1], "x", 1);
          pollfd set[] = {{p.ends[0], POLLIN, 0}, {inotify_init(), POLLIN, 0}};
          expect(poll(set, 2, -1) == 1);
          expect(poll(set + 1, 1, 0) == 0);
        });
      },
      false);
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.uncontrolled.empty());
}

TEST_CASE("a poll for ever of what is not scheduled is no deadlock but an error") {
  const auto result = explore_once(
      [](scenario& s) {
        s.process("poller", [] {
          const own_pipe p;
          pollfd set[] = {{p.ends[0], POLLIN, 0}, {inotify_init(), POLLIN, 0}};
          poll(set, 2, -1);
        });
        s.process("other", [] {
          pollfd one{inotify_init(), POLLIN, 0};
          poll(&one, 1, -1);
        });
      },
      false);
  CHECK(result.how == explore::verdict::error);
  CHECK(result.message ==
        "poller is not under control: it sleeps in poll for a descriptor that Forkloom does not "
        "schedule");
}

TEST_CASE("a poll for room is no deadlock while the reader, who could make it, runs on") {
  const auto result = explore_once(
      [](scenario& s) {
        static own_pipe p;
        p = own_pipe();
        s.process("poller", [] {
          const std::vector<char> bytes(65536);
          expect(write(p.ends[1], bytes.data(), bytes.size()) == 65536);
          close(p.ends[0]);
          pollfd one{p.ends[1], POLLOUT, 0};
          poll(&one, 1, -1);
        });
        s.process("reader", [] {
          close(p.ends[1]);
          for (;;) sched_yield();
        });
      },
      true);
  require_livelock(result);
}

TEST_CASE("a loop over the attributes of a queue is no progress") {
  require_livelock(explore_once(
      [](scenario& s) {
        s.process("observer", [] {
          const auto queue = own_queue();
          mq_attr is{};
          while (mq_getattr(queue, &is) == 0) continue;
        });
      },
      true));
}

TEST_CASE("notifications are under control, however they are told") {
  const auto result = explore_once(
      [](scenario& s) {
        s.process("owner", [] {
          const auto queue = own_queue();
          expect(ask_to_be_notified(queue, SIGEV_NONE) == 0);
          mq_send(queue, "a", 1, 0);
          expect(ask_to_be_notified(queue, SIGEV_SIGNAL) == 0);
          mq_notify(queue, nullptr);
          expect(ask_to_be_notified(queue, SIGEV_THREAD) == 0);
        });
      },
      false);
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.uncontrolled.empty());
}

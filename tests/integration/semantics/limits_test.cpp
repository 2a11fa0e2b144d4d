// What is no progress, and what is not under control, is said of a campaign.
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>

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
          pollfd set[] = {{p.ends[0], POLLIN, 0}, {eventfd(0, 0), POLLIN, 0}};
          expect(poll(set, 2, 10) == 0);
        });
      },
      false);
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.uncontrolled == std::vector<std::string>{"poll"});
}

TEST_CASE("a poll that needs no wait for what is not scheduled is under control") {
  const auto result = explore_once(
      [](scenario& s) {
        s.process("poller", [] {
          pollfd one{eventfd(1, 0), POLLIN, 0};
          expect(poll(&one, 1, -1) == 1);
          one.fd = eventfd(0, 0);
          expect(poll(&one, 1, 0) == 0);
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
          pollfd set[] = {{p.ends[0], POLLIN, 0}, {eventfd(0, 0), POLLIN, 0}};
          poll(set, 2, -1);
        });
        s.process("other", [] {
          pollfd one{eventfd(0, 0), POLLIN, 0};
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

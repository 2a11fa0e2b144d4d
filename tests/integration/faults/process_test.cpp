// Faults of processes: killed and stopped, as if somebody outside had done it.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "forkloom/ipc/mutex.hpp"
#include "tests/integration/faults/campaign.hpp"

using namespace forkloom;
using namespace forkloom::faults_test;

namespace {

struct counted {
  forkloom::shared<int> begun{0};
  forkloom::shared<int> done{0};

  void count() {
    begun.fetch_add(1);
    done.fetch_add(1);
  }
};

void count(counted& w) { w.count(); }

}  // namespace

TEST_CASE("a process that a fault killed is no crash, and the others go on", "[faults]") {
  harmless<counted>(with("kill:1"), {count, count, count}, [](counted& w) {
    const auto killed = static_cast<int>(faults_happened("kill"));
    expect(that(w.begun.load() + killed) >= 3);
    expect(that(w.done.load()) >= 2);
  });
}

TEST_CASE("no more faults happen in an execution than were asked for", "[faults]") {
  harmless<counted>(with("kill:2"), {count, count, count, count}, [](counted& w) {
    expect(faults_happened("kill") <= 2U);
    expect(that(w.done.load()) >= 2);
  });
}

TEST_CASE("faults that were not asked for do not happen", "[faults]") {
  const auto result = explored<counted>(with(""), {count, count},
                                        [](counted& w) { expect(that(w.done.load()) == 2); });
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.empty());
}

namespace {

struct family {
  int status = -1;
  bool stopped = false;
  bool continued = false;
};

}  // namespace

TEST_CASE("a child that a fault killed is seen dead of SIGKILL by its parent", "[faults]") {
  auto how = with("kill:1");
  how.checkers = {"expectation", "crash", "deadlock", "hang"};
  harmless<family>(how, {[](family& w) {
                     const auto child = ::fork();
                     if (child == 0) ::_exit(7);
                     expect(that(::waitpid(child, &w.status, 0)) == child);
                   }},
                   [](family& w) {
                     const bool regular = WIFEXITED(w.status) && WEXITSTATUS(w.status) == 7;
                     const bool killed = WIFSIGNALED(w.status) && WTERMSIG(w.status) == SIGKILL;
                     expect(regular || faults_happened("kill") == 1U);
                     expect(killed || regular || w.status == -1);
                   });
}

TEST_CASE("a process that was stopped goes on, and its parent sees both", "[faults]") {
  const auto wait_for_child = [](family& w) {
    const auto child = ::fork();
    if (child == 0) ::_exit(7);
    do {
      const auto got = ::waitpid(child, &w.status, WUNTRACED | WCONTINUED);
      expect(that(got) == child || errno == EINTR);
      if (WIFSTOPPED(w.status)) w.stopped = true;
      if (WIFCONTINUED(w.status)) w.continued = true;
    } while (!WIFEXITED(w.status));
  };
  harmless<family>(with("stop:2"), {wait_for_child}, [](family& w) {
    expect(that(WEXITSTATUS(w.status)) == 7);
    expect(!w.stopped || faults_happened("stop") > 0U);
  });
  CHECK(comes_to<family>(with("stop:1"), {wait_for_child},
                         [](family& w) { expect(!w.stopped || !w.continued); }));
}

TEST_CASE("a parent that waits hears of a stop when it comes", "[faults]") {
  struct late_stop : counted {
    bool seen = false;
  };
  CHECK(comes_to<late_stop>(with("stop:1"), {[](late_stop& w) {
                              const auto child = ::fork();
                              if (child == 0) {
                                ::sleep(1);  // until the parent waits
                                for (int i = 0; i < 5; ++i) w.count();
                                ::_exit(0);
                              }
                              int status = 0;
                              do {
                                ::waitpid(child, &status, WUNTRACED);
                                w.seen |= WIFSTOPPED(status) && w.begun.load() > 0;
                              } while (!WIFEXITED(status));
                            }},
                            [](late_stop& w) { expect(!w.seen); }));
}

namespace {

volatile sig_atomic_t heard = 0;

}  // namespace

TEST_CASE("a parent gets a signal when its child stops, goes on and ends", "[faults]") {
  struct told {
    int times = 0;
  };
  const auto listen = [](told& w) {
    struct sigaction action {};
    action.sa_handler = [](int) { heard = heard + 1; };
    ::sigaction(SIGCHLD, &action, nullptr);
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    while (::waitpid(child, nullptr, 0) != child) continue;
    w.times = heard;
  };
  harmless<told>(with("stop:1"), {listen}, [](told& w) {
    expect(w.times >= 1 && that(w.times) <= (faults_happened("stop") == 1 ? 3 : 1));
  });
  const auto result =
      explored<told>(with("stop:1"), {listen}, [](told& w) { expect(w.times < 3); });
  REQUIRE(result.findings.size() == 1);
  const auto& events = result.findings[0].what_happened.events;
  CHECK(std::count_if(events.begin(), events.end(),
                      [](const event& e) { return e.op == operation::signal_send; }) == 3);
}

TEST_CASE("all that were stopped go on in the end", "[faults]") {
  harmless<counted>(with("stop:3"), {count, count, count},
                    [](counted& w) { expect(that(w.done.load()) == 3); });
}

namespace {

struct ledger {
  ipc::mutex lock;
  void use() {
    lock.lock();
    lock.unlock();
  }
};

void use(ledger& w) { w.use(); }

}  // namespace

TEST_CASE("a lock of a process that a fault killed is a deadlock that says so", "[faults]") {
  const auto result = explored<ledger>(with("kill:1"), {use, use}, [](ledger&) {});
  REQUIRE(result.findings.size() == 1);
  const auto& found = result.findings[0].violations;
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::deadlock);
  CHECK_THAT(found[0].message, Catch::Contains("was killed by a fault at step ") &&
                                   Catch::Contains(" while it held it"));
  CHECK(result.findings[0].reproduced == 1);
}

TEST_CASE("a token brings the faults back", "[faults]") {
  const auto result = explored<ledger>(with("kill:1"), {use, use}, [](ledger&) {});
  REQUIRE(result.findings.size() == 1);
  const auto& found = result.findings[0];
  const auto token = decode(found.token);
  CHECK(to_string(token.faults) == "kill:1");
  const scenario_info same{.name = "faults",
                           .tags = {},
                           .file = __FILE__,
                           .line = __LINE__,
                           .body = &declared<ledger>::scenario_body,
                           .defaults = {}};
  const auto again = explore::replay(same, token, {});
  REQUIRE(again.findings.size() == 1);
  CHECK(again.findings[0].divergence.empty());
  CHECK(again.findings[0].violations.at(0).message == found.violations.at(0).message);
}

namespace {

constexpr int long_way = 300;

void go_a_long_way(counted& w) {
  for (int i = 0; i < long_way; ++i) w.begun.fetch_add(1);
}

}  // namespace

TEST_CASE("faults come early and late in long executions", "[faults]") {
  const auto dies = [](void (*judge)(counted&)) {
    return comes_to<counted>(with("kill:1"), {go_a_long_way}, judge);
  };
  CHECK(dies([](counted& w) { expect(that(w.begun.load()) >= 10); }));
  CHECK(dies(
      [](counted& w) { expect(w.begun.load() < long_way / 2 || w.begun.load() == long_way); }));
}

namespace {

// The letter that proc(5) has for the state of a process.
char state_of(pid_t pid) {
  std::array<char, 32> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  std::array<char, 128> text{};
  const int fd = ::open(path.data(), O_RDONLY);
  const auto got = ::read(fd, text.data(), text.size() - 1);
  ::close(fd);
  const auto* name_end = got > 0 ? std::strrchr(text.data(), ')') : nullptr;
  return name_end == nullptr ? '?' : name_end[2];
}

struct watched : counted {
  bool seen_stopped = false;

  void watch_child() {
    const auto child = ::fork();
    if (child == 0) {
      for (int i = 0; i < 10; ++i) begun.fetch_add(1);
      ::_exit(0);
    }
    for (int i = 0; i < 10; ++i) {
      begun.fetch_add(1);
      if (state_of(child) == 'T') seen_stopped = true;
    }
    ::waitpid(child, nullptr, 0);
  }
};

}  // namespace

TEST_CASE("who is stopped by a fault is stopped for the kernel, too", "[faults]") {
  const auto watch = [](watched& w) { w.watch_child(); };
  CHECK(comes_to<watched>(with("stop:1"), {watch}, [](watched& w) { expect(!w.seen_stopped); }));
  CHECK_FALSE(comes_to<watched>(with("stop:1"), {watch}, [](watched& w) {
    expect(!w.seen_stopped || faults_happened("stop") == 1U);
  }));
}

namespace {

// How long the other one was on its way, in steps of the one who looks.
struct observed : counted {
  int looks = 0;
  bool saw_done = false;

  forkloom::shared<int> steps{0};

  void go() {
    begun.fetch_add(1);
    for (int i = 0; i < 10; ++i) steps.fetch_add(1);
    done.fetch_add(1);
  }
  void look() {
    for (int i = 0; i < 300 && !saw_done; ++i) {
      steps.fetch_add(1);  // who only looks stands back
      if (done.load() == 1)
        saw_done = true;
      else if (begun.load() == 1)
        ++looks;
    }
  }
};

// Each is three steps. That the other one has fewer than twelve of 60 steps without being stopped
// has a probability of 1 in 10^6; that it is stopped for 48 choices, of 1 in 5.
constexpr int many_looks = 16;

}  // namespace

TEST_CASE("who was stopped may go on while others run, some time later", "[faults]") {
  const auto came_late = [](observed& w) { expect(w.looks < many_looks || !w.saw_done); };
  const auto looks = [](observed& w) { w.look(); };
  const auto goes = [](observed& w) { w.go(); };
  CHECK(comes_to<observed>(with("stop:1"), {goes, looks}, came_late));
  CHECK_FALSE(comes_to<observed>(with(""), {goes, looks}, came_late));
}

namespace {

struct sleeper : counted {
  bool done_after_one = false;
  bool done_after_two = false;
  void sleep_twice() {
    ::sleep(1);
    done_after_one = done.load() == 1;
    ::sleep(1);
    done_after_two = done.load() == 1;
  }
};

void sleep_twice(sleeper& w) { w.sleep_twice(); }
void count_meanwhile(sleeper& w) { w.count(); }

}  // namespace

TEST_CASE("while one is stopped and nobody else can go on, time may pass or not", "[faults]") {
  auto how = with("stop:1");
  how.keep_going = true;
  how.checkers = {"expectation"};
  const auto times = [&](void (*judge)(sleeper&)) -> std::uint64_t {
    const auto result = explored<sleeper>(how, {count_meanwhile, sleep_twice}, judge);
    return result.findings.empty() ? 0 : result.findings[0].occurrences;
  };
  const auto passed = times([](sleeper& w) { expect(w.done_after_one); });
  CHECK(passed > 10);
  // The next time, chances are even again.
  const auto once = times([](sleeper& w) { expect(w.done_after_one || !w.done_after_two); });
  CHECK(once * 4 > passed);
  CHECK(once < passed);
}

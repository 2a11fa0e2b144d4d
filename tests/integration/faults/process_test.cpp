// Faults of processes: killed and stopped, as if somebody outside had done it.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

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
  harmless<family>(with("stop:2"), {[](family& w) {
                     const auto child = ::fork();
                     if (child == 0) ::_exit(7);
                     do {
                       const auto got = ::waitpid(child, &w.status, WUNTRACED | WCONTINUED);
                       expect(that(got) == child || errno == EINTR);
                       if (WIFSTOPPED(w.status)) w.stopped = true;
                     } while (!WIFEXITED(w.status));
                   }},
                   [](family& w) {
                     expect(that(WEXITSTATUS(w.status)) == 7);
                     expect(!w.stopped || faults_happened("stop") > 0U);
                   });
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
  CHECK_THAT(found[0].message, Catch::Contains("was killed by a fault while it held it"));
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

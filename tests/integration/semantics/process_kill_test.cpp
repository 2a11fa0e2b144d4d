// Killing, and asking whether somebody is there to be killed.
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct family : notes {
  sem_t never;
  family() { sem_init(&never, 1, 0); }
};

struct lineage : notes {
  sem_t born;
  sem_t orphaned;
  sem_t done;
  lineage() {
    for (auto* s : {&born, &orphaned, &done}) sem_init(s, 1, 0);
  }
};

pid_t fork_and_stay(family& w) {
  const auto child = fork();
  if (child == 0) {
    sem_wait(&w.never);
    _exit(1);
  }
  return child;
}

int status_of(pid_t child) {
  int status = -1;
  return waitpid(child, &status, 0) == child ? status : -2;
}

void await_end(pid_t child) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
}

// Asks the kernel to give that pid to the next process. It need not: others fork, too.
void offer_again(pid_t pid) {
  const int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  const auto last = std::to_string(pid - 1);
  [[maybe_unused]] const auto written = write(fd, last.data(), last.size());
  close(fd);
}

// Two children after each other with the same pid; then an expectation fails, so that there is a
// trace to look at.
void reuse_a_pid(forkloom::scenario& scenario) {
  scenario.process("parent", [] {
    const auto first = fork();
    if (first == 0) _exit(0);
    status_of(first);
    offer_again(first);
    const auto second = fork();
    if (second == 0) _exit(0);
    status_of(second);
    forkloom::expect(false);
  });
}

std::vector<forkloom::event> waits_that_found_a_child(const forkloom::trace& t) {
  std::vector<forkloom::event> found;
  std::copy_if(t.events.begin(), t.events.end(), std::back_inserter(found), [](const auto& e) {
    return e.op == forkloom::operation::wait_child && e.how == forkloom::outcome::completed;
  });
  return found;
}

}  // namespace

TEST_CASE("signal 0 tells who is there, zombies included, and harms nobody") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_and_stay(w);
    w.note_error(0, kill(child, 0));
    w.note(1, waitpid(child, nullptr, WNOHANG));
    sem_post(&w.never);
    await_end(child);
    w.note_error(2, kill(child, 0));
    w.note(3, status_of(child));
    w.note_error(4, kill(child, 0));
    w.note_error(5, kill(getpid(), 0));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1 << 8);
  CHECK(seen[4] == ESRCH);
  CHECK(seen[5] == 0);
}

TEST_CASE("SIGKILL ends a child that is blocked") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_and_stay(w);
    w.note_error(0, kill(child, SIGKILL));
    w.note(1, status_of(child));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == SIGKILL);
}

TEST_CASE("a child is killed by its sibling, and their parent learns it") {
  const auto seen = both<family>({[](family& w) {
    const auto victim = fork_and_stay(w);
    const auto killer = fork();
    if (killer == 0) {
      w.note_error(0, kill(victim, SIGKILL));
      w.note_error(1, waitpid(victim, nullptr, 0));
      _exit(4);
    }
    w.note(2, status_of(victim));
    w.note(3, status_of(killer));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == ECHILD);
  CHECK(seen[2] == SIGKILL);
  CHECK(seen[3] == 4 << 8);
}

TEST_CASE("killing a zombie succeeds and changes nothing") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) _exit(7);
    await_end(child);
    w.note_error(0, kill(child, SIGKILL));
    w.note_error(1, kill(child, SIGTERM));
    w.note(2, status_of(child));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 7 << 8);
}

TEST_CASE("a process that was reaped cannot be killed") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) _exit(0);
    w.note(0, status_of(child));
    w.note_error(1, kill(child, SIGKILL));
    w.note_error(2, kill(child, 0));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == ESRCH);
  CHECK(seen[2] == ESRCH);
}

TEST_CASE("a signal that does not exist is refused") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_and_stay(w);
    w.note_error(0, kill(child, 65));
    w.note_error(1, kill(child, -1));
    sem_post(&w.never);
    w.note(2, status_of(child));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == 1 << 8);
}

TEST_CASE("killing a parent leaves its child alive") {
  const auto seen = both<lineage>({[](lineage& w) {
    const auto child = fork();
    if (child == 0) {
      if (fork() == 0) {
        sem_post(&w.born);
        sem_wait(&w.orphaned);
        w.note(0, 1);
        sem_post(&w.done);
        _exit(0);
      }
      for (;;) sleep(1000);
    }
    sem_wait(&w.born);
    w.note_error(1, kill(child, SIGKILL));
    w.note(2, status_of(child));
    sem_post(&w.orphaned);
    sem_wait(&w.done);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SIGKILL);
}

TEST_CASE("a pid that is used again means the process that has it now") {
  const auto seen = both<family>({[](family& w) {
    for (std::size_t i = 0; i < 4; ++i) {
      const auto first = fork();
      if (first == 0) _exit(2);
      w.note(3 * i, status_of(first));
      offer_again(first);
      const auto second = fork_and_stay(w);
      w.note_error(3 * i + 1, kill(second, SIGKILL));
      w.note(3 * i + 2, status_of(second));
    }
  }});
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(seen[3 * i] == 2 << 8);
    CHECK(seen[3 * i + 1] == 0);
    CHECK(seen[3 * i + 2] == SIGKILL);
  }
}

TEST_CASE("a wait names the child that had the pid last") {
  forkloom::scenario_info info{.name = "a pid used twice",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body = &reuse_a_pid,
                               .defaults = {}};
  info.defaults.executions = 1;
  const auto result = forkloom::explore::run_campaign(info, info.defaults);
  REQUIRE(result.findings.size() == 1);
  const auto waits = waits_that_found_a_child(result.findings[0].what_happened);
  REQUIRE(waits.size() == 2);
  // Only in a process namespace of its own is the kernel sure to give the pid again.
  if (result.isolation.find("pid") != std::string::npos) CHECK(waits[0].result == waits[1].result);
  CHECK(waits[0].after == 1);
  CHECK(waits[1].after == 2);
}

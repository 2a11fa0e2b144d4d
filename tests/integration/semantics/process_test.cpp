#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct family : notes {};

}  // namespace

TEST_CASE("a parent waits for the exit code of the child that it forked") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      w.note(0, 1);
      _exit(7);
    }
    int status = -1;
    w.note(1, waitpid(child, &status, 0) == child);
    w.note(2, status);
    w.note_error(3, waitpid(child, &status, 0));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 7 << 8);
  CHECK(seen[3] == ECHILD);
}

TEST_CASE("a child killed by its parent is reaped with the signal") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0)
      for (;;) sleep(1000);
    w.note_error(0, kill(child, 0));
    w.note_error(1, kill(child, SIGKILL));
    int status = 0;
    w.note(2, wait(&status) == child);
    w.note(3, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    w.note_error(4, kill(child, 0));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == SIGKILL);
  CHECK(seen[4] == ESRCH);
}

TEST_CASE("waitid tells how a child ended, and leaves it there if asked to") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) _Exit(3);
    siginfo_t info{};
    w.note_error(0, waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT));
    w.note(1, info.si_pid == child && info.si_code == CLD_EXITED);
    w.note(2, info.si_status);
    w.note(3, wait(nullptr) == child);
    w.note_error(4, waitid(P_ALL, 0, &info, WEXITED));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 3);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == ECHILD);
}

TEST_CASE("a vforked child is waited for, and then nobody is left") {
  const auto seen = both<family>({[](family& w) {
    if (vfork() == 0) _exit(0);
    w.note(0, wait(nullptr) > 0);
    w.note_error(1, waitpid(-1, nullptr, WNOHANG));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == ECHILD);
}

TEST_CASE("a child forks a child of its own and waits for it") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      if (fork() == 0) {
        w.note(0, 1);
        _exit(0);
      }
      wait(nullptr);
      _exit(0);
    }
    w.note(1, wait(nullptr) == child);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
}

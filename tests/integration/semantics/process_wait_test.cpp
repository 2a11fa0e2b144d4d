// The forms of waiting for a child.
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

// Children stay alive until the gate is opened.
struct family : notes {
  sem_t gate;
  sem_t done;
  family() {
    sem_init(&gate, 1, 0);
    sem_init(&done, 1, 0);
  }
};

pid_t fork_behind_gate(family& w, int code) {
  const auto child = fork();
  if (child == 0) {
    sem_wait(&w.gate);
    _exit(code);
  }
  return child;
}

pid_t fork_and_end(int code) {
  const auto child = fork();
  if (child == 0) _exit(code);
  return child;
}

// Afterwards the child is a zombie.
void await_end(pid_t child) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
}

}  // namespace

TEST_CASE("WNOHANG finds nobody while the child lives, and the child when it is dead") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_behind_gate(w, 5);
    int status = 77;
    w.note(0, waitpid(child, &status, WNOHANG));
    w.note(1, wait3(&status, WNOHANG, nullptr));
    w.note(2, wait4(-1, &status, WNOHANG, nullptr));
    w.note(3, status);
    sem_post(&w.gate);
    await_end(child);
    w.note(4, waitpid(child, &status, WNOHANG) == child);
    w.note(5, status);
  }});
  for (std::size_t i : {0, 1, 2}) CHECK(seen[i] == 0);
  CHECK(seen[3] == 77);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 5 << 8);
}

TEST_CASE("waitid with WNOHANG succeeds without a child in its answer") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_behind_gate(w, 0);
    siginfo_t info{};
    info.si_pid = 77;
    w.note(0, waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG));
    w.note(1, info.si_pid);
    w.note(2, waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG));
    sem_post(&w.gate);
    w.note(3, wait(nullptr) == child);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("every form waits for a child that lives and reaps it once") {
  const auto seen = both<family>({[](family& w) {
    int status = 0;
    w.note(0, fork_and_end(1) == wait(&status) && status == 1 << 8);
    w.note(1, fork_and_end(2) == wait3(&status, 0, nullptr) && status == 2 << 8);
    auto child = fork_and_end(3);
    w.note(2, child == wait4(child, &status, 0, nullptr) && status == 3 << 8);
    child = fork_and_end(4);
    w.note(3, child == waitpid(child, &status, 0) && status == 4 << 8);
    child = fork_and_end(5);
    siginfo_t info{};
    w.note(4, waitid(P_PID, static_cast<id_t>(child), &info, WEXITED) == 0);
    w.note(5, info.si_pid == child && info.si_signo == SIGCHLD && info.si_status == 5);
    w.note_error(6, wait(&status));
  }});
  for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i] == 1);
  CHECK(seen[6] == ECHILD);
}

TEST_CASE("children of the process group are waited for by group") {
  const auto seen = both<family>({[](family& w) {
    w.note(0, fork_and_end(0) == waitpid(0, nullptr, 0));
    w.note(1, fork_and_end(0) == waitpid(-getpgrp(), nullptr, 0));
    const auto child = fork_and_end(0);
    siginfo_t info{};
    w.note(2, waitid(P_PGID, static_cast<id_t>(getpgrp()), &info, WEXITED));
    w.note(3, info.si_pid == child);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("a child is waited for through its pidfd") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_behind_gate(w, 8);
    const auto pidfd = syscall(SYS_pidfd_open, child, 0);
    sem_post(&w.gate);
    siginfo_t info{};
    w.note(0, waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED));
    w.note(1, info.si_pid == child);
    w.note(2, info.si_status);
    close(static_cast<int>(pidfd));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 8);
}

TEST_CASE("waiting for one child leaves another that ended before") {
  const auto seen = both<family>({[](family& w) {
    const auto first = fork_and_end(1);
    await_end(first);
    const auto second = fork_and_end(2);
    int status = 0;
    w.note(0, waitpid(second, &status, 0) == second);
    w.note(1, status);
    w.note(2, waitpid(first, &status, WNOHANG) == first);
    w.note(3, status);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 2 << 8);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1 << 8);
}

TEST_CASE("WNOWAIT shows the same child as often as it is asked") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_and_end(2);
    for (std::size_t i = 0; i < 3; ++i) {
      siginfo_t info{};
      w.note_error(i, waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
      w.note(i + 3, info.si_pid == child && info.si_status == 2);
    }
    w.note(6, waitpid(child, nullptr, WNOHANG) == child);
  }});
  for (std::size_t i = 0; i < 3; ++i) CHECK(seen[i] == 0);
  for (std::size_t i = 3; i < 7; ++i) CHECK(seen[i] == 1);
}

TEST_CASE("nobody can wait without a child, or for somebody else's") {
  const auto seen = both<family>({[](family& w) {
    w.note_error(0, wait(nullptr));
    w.note_error(1, waitpid(-1, nullptr, WNOHANG));
    w.note_error(2, waitpid(getppid(), nullptr, 0));
    w.note_error(3, wait4(getpid(), nullptr, 0, nullptr));
    w.note_error(4, waitid(P_ALL, 0, nullptr, WEXITED));
    const auto child = fork_behind_gate(w, 0);
    w.note_error(5, waitpid(getppid(), nullptr, WNOHANG));
    sem_post(&w.gate);
    w.note(6, wait(nullptr) == child);
  }});
  for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i] == ECHILD);
  CHECK(seen[6] == 1);
}

TEST_CASE("a grandchild is not waited for") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      const auto grandchild = fork_and_end(0);
      w.note(0, grandchild);
      sem_post(&w.done);
      waitpid(grandchild, nullptr, 0);
      _exit(0);
    }
    sem_wait(&w.done);
    const auto grandchild = static_cast<pid_t>(w.seen[0]);
    w.note_error(1, waitpid(grandchild, nullptr, 0));
    w.note(2, wait(nullptr) == child);
    w.note(0, 0);  // pids differ between the runs
  }});
  CHECK(seen[1] == ECHILD);
  CHECK(seen[2] == 1);
}

TEST_CASE("options that do not exist are refused, with a child or without") {
  const auto seen = both<family>({[](family& w) {
    constexpr int no_option = 0x0400'0000;
    w.note_error(0, waitpid(-1, nullptr, no_option));
    w.note_error(1, wait3(nullptr, no_option, nullptr));
    w.note_error(2, waitid(P_ALL, 0, nullptr, 0));  // it says not what to wait for
    w.note_error(3, waitid(P_ALL, 0, nullptr, WEXITED | no_option));
    const auto child = fork_and_end(0);
    w.note_error(4, wait4(child, nullptr, no_option, nullptr));
    w.note_error(5, waitid(P_PID, 0, nullptr, WEXITED));
    w.note(6, wait(nullptr) == child);
  }});
  for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i] == EINVAL);
  CHECK(seen[6] == 1);
}

TEST_CASE("a group that cannot be is ESRCH") {
  const auto seen =
      both<family>({[](family& w) { w.note_error(0, waitpid(INT_MIN, nullptr, 0)); }});
  CHECK(seen[0] == ESRCH);
}

TEST_CASE("wait3 and wait4 tell what the child has used") {
  const auto seen = both<family>({[](family& w) {
    rusage used{};
    const auto child = fork_and_end(0);
    w.note(0, wait4(child, nullptr, 0, &used) == child && used.ru_maxrss > 0);
    used = {};
    w.note(1, fork_and_end(0) == wait3(nullptr, 0, &used) && used.ru_maxrss > 0);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
}

TEST_CASE("with SIGCHLD ignored a wait ends when the last child has, and finds none") {
  const auto seen = both<family>({[](family& w) {
    signal(SIGCHLD, SIG_IGN);
    for (std::size_t i = 0; i < 2; ++i)
      if (fork() == 0) {
        w.note(i, 1);
        _exit(1);
      }
    w.note_error(2, wait(nullptr));
    w.note(3, w.seen[0] == 1 && w.seen[1] == 1);
  }});
  CHECK(seen[2] == ECHILD);
  CHECK(seen[3] == 1);
}

TEST_CASE("an orphan gets another parent and goes on") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      const auto parent = getpid();
      if (fork() == 0) {
        sem_wait(&w.gate);
        w.note(0, getppid() != parent);
        sem_post(&w.done);
      }
      _exit(0);
    }
    w.note(1, waitpid(child, nullptr, 0) == child);
    sem_post(&w.gate);
    sem_wait(&w.done);
    w.note_error(2, wait(nullptr));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == ECHILD);
}

// How a process ends, and what its parent learns of it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct family : notes {
  int handled = 0;
  family() { note(0, 0); }
};

// Handlers of atexit() get no argument.
family* in_handler = nullptr;
void count_handled() { in_handler->note(0, ++in_handler->handled); }

int status_of(pid_t child) {
  int status = -1;
  return waitpid(child, &status, 0) == child ? status : -2;
}

}  // namespace

TEST_CASE("exit, _exit and _Exit give the parent their code, whose low eight bits count") {
  const auto seen = both<family>({[](family& w) {
    const auto by_exit = fork();
    if (by_exit == 0) exit(3);
    w.note(1, status_of(by_exit));
    const auto by_raw_exit = fork();
    if (by_raw_exit == 0) _exit(255);
    w.note(2, status_of(by_raw_exit));
    const auto by_c_exit = fork();
    if (by_c_exit == 0) _Exit(256 + 4);
    w.note(3, status_of(by_c_exit));
  }});
  CHECK(seen[1] == 3 << 8);
  CHECK(seen[2] == 255 << 8);
  CHECK(seen[3] == 4 << 8);
}

TEST_CASE("a child that returns from the body ends like its parent, with code 0") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) return w.note(1, 1);
    w.note(2, status_of(child));
  }});
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
}

TEST_CASE("exit runs a handler of the child's own once") {
  const auto seen = both<family>({[](family& w) {
    in_handler = &w;
    const auto child = fork();
    if (child == 0) {
      atexit(count_handled);
      exit(0);
    }
    w.note(1, status_of(child));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
}

TEST_CASE("_exit runs no handler") {
  const auto seen = both<family>({[](family& w) {
    in_handler = &w;
    const auto child = fork();
    if (child == 0) {
      atexit(count_handled);
      _exit(6);
    }
    w.note(1, status_of(child));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 6 << 8);
}

TEST_CASE("a handler registered before the fork runs once in each child that calls exit") {
  const auto seen = both<family>({[](family& w) {
    in_handler = &w;
    atexit(count_handled);
    for (int code : {1, 2}) {
      const auto child = fork();
      if (child == 0) exit(code);
      w.note(static_cast<std::size_t>(code), status_of(child));
    }
  }});
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 1 << 8);
  CHECK(seen[2] == 2 << 8);
}

TEST_CASE("a handler waits for a child and gives its code on") {
  const auto seen = both<family>({[](family& w) {
    in_handler = &w;
    const auto child = fork();
    if (child == 0) {
      atexit([] {
        const auto grandchild = fork();
        if (grandchild == 0) _exit(9);
        _exit(WEXITSTATUS(status_of(grandchild)));
      });
      exit(1);
    }
    w.note(1, status_of(child));
  }});
  CHECK(seen[1] == 9 << 8);
}

TEST_CASE("a child that kills itself is reaped with the signal") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      kill(getpid(), SIGKILL);
      _exit(1);
    }
    w.note(1, status_of(child));
  }});
  CHECK(seen[1] == SIGKILL);
}

TEST_CASE("codes rise through three generations") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      const auto grandchild = fork();
      if (grandchild == 0) {
        const auto great_grandchild = fork();
        if (great_grandchild == 0) exit(1);
        exit(WEXITSTATUS(status_of(great_grandchild)) + 10);
      }
      exit(WEXITSTATUS(status_of(grandchild)) + 100);
    }
    w.note(1, WEXITSTATUS(status_of(child)));
  }});
  CHECK(seen[1] == 111);
}

TEST_CASE("parent and child know each other, and do not share their memory") {
  const auto seen = both<family>({[](family& w) {
    const auto parent = getpid();
    int mine = 1;
    const auto child = fork();
    if (child == 0) {
      mine = 2;
      w.note(1, getppid() == parent && getpid() != parent);
      _exit(mine);
    }
    w.note(2, status_of(child));
    w.note(3, mine);
  }});
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 2 << 8);
  CHECK(seen[3] == 1);
}

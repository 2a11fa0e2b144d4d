// What a command must not leave behind: processes and System V, POSIX or file objects.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <set>
#include <string>

#include "tests/acceptance/command_run.hpp"

namespace forkloom::tests {

// While one lives, processes whose parents die become this process's children.
class orphanage {
 public:
  orphanage() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~orphanage() { prctl(PR_SET_CHILD_SUBREAPER, 0); }
  orphanage(const orphanage&) = delete;
  orphanage& operator=(const orphanage&) = delete;

  // Returns when every one of them has ended. One that never ends is the test's time-out.
  static void wait_for_all() {
    while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
  }

  // Nobody is here, neither dead nor alive.
  [[nodiscard]] static bool empty() {
    return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
  }
};

// Made before a command is run; asked after it has ended.
class nothing_left {
 public:
  // Strict: the command itself must have seen every process go.
  [[nodiscard]] bool holds() const { return orphanage::empty() && ipc_objects() == before_; }

  // For a command that was killed: the processes may take their time to die.
  [[nodiscard]] bool holds_in_the_end() const {
    orphanage::wait_for_all();
    return ipc_objects() == before_;
  }

 private:
  orphanage orphans_;
  std::set<std::string> before_ = ipc_objects();
};

}  // namespace forkloom::tests

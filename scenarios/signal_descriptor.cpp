// A supervisor that hears of its workers' ends through a signalfd, in a loop over poll.
//
// Broken: it waits for the one child that what it read is about, but of two deaths that come
// together the kernel keeps one. Correct: it waits for all that have died.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr int workers = 2;

int reap_one(const signalfd_siginfo& told) {
  return waitpid(static_cast<pid_t>(told.ssi_pid), nullptr, WNOHANG) > 0 ? 1 : 0;
}

int reap_all(const signalfd_siginfo& /*told*/) {
  int count = 0;
  while (waitpid(-1, nullptr, WNOHANG) > 0) ++count;
  return count;
}

void supervise(forkloom::scenario& scenario, int (*reap)(const signalfd_siginfo&)) {
  scenario.process("supervisor", [reap] {
    sigset_t deaths;
    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    sigprocmask(SIG_BLOCK, &deaths, nullptr);
    const int fd = signalfd(-1, &deaths, SFD_CLOEXEC);
    for (int i = 0; i < workers; ++i)
      if (fork() == 0) _exit(0);
    for (int left = workers; left > 0;) {
      pollfd one{fd, POLLIN, 0};
      expect(that(poll(&one, 1, -1)) == 1);
      signalfd_siginfo told{};
      expect(that(read(fd, &told, sizeof told)) == static_cast<ssize_t>(sizeof told));
      left -= reap(told);
    }
    close(fd);
  });
  scenario.finally([] {});
}

}  // namespace

FORKLOOM_SCENARIO("one wait for each SIGCHLD that is read", "[signal][signalfd][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  supervise(scenario, reap_one);
}

FORKLOOM_SCENARIO("all that have died waited for at each SIGCHLD that is read",
                  "[signal][signalfd][correct]") {
  supervise(scenario, reap_all);
}

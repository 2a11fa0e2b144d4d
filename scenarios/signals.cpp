// Handlers, and those who wait for them.
//
// Waiting. Broken: a worker looks whether it has been told to stop, and then pauses; the signal may
// come in between. Correct: the signal is blocked until sigsuspend lets it in.
// Counting. Broken: a handler counts what the program counts as well, and may come in between its
// load and its store. Correct: the signal is blocked meanwhile.
// Children. Broken: a handler waits for one child a signal, but two deaths may be one signal.
// Correct: it waits for all that have died.
// Time. Broken: an alarm that shall end a pause may be over before that. Correct: sigtimedwait.
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

void handle(int signal, void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = handler;
  action.sa_flags = flags;
  expect(that(sigaction(signal, &action, nullptr)) == 0);
}

volatile sig_atomic_t told_to_stop = 0;

void wait_until_told(bool atomically) {
  const auto stop = set_of({SIGUSR1});
  sigset_t before;
  if (atomically) sigprocmask(SIG_BLOCK, &stop, &before);
  while (told_to_stop == 0) {
    if (atomically)
      sigsuspend(&before);
    else
      pause();
  }
}

void stop_a_worker(forkloom::scenario& scenario, bool atomically) {
  auto& ready = scenario.shared<int>("ready", 0);
  scenario.process("master", [&, atomically] {
    const auto worker = fork();
    if (worker == 0) {
      handle(SIGUSR1, [](int) { told_to_stop = 1; });
      ready = 1;
      wait_until_told(atomically);
      _exit(0);
    }
    while (ready == 0) usleep(10);
    expect(that(kill(worker, SIGUSR1)) == 0);
    expect(that(waitpid(worker, nullptr, 0)) == worker);
  });
  scenario.finally([] {});
}

forkloom::shared<long>* requests = nullptr;
volatile sig_atomic_t asked = 0;

void count_requests(forkloom::scenario& scenario, bool masked) {
  auto& count = scenario.shared<long>("requests", 0);
  auto& ready = scenario.shared<int>("ready", 0);
  scenario.process("front", [&, masked] {
    const auto server = fork();
    if (server == 0) {
      requests = &count;
      handle(SIGUSR1, [](int) {
        *requests += 1;
        asked = 1;
      });
      const auto coming = set_of({SIGUSR1});
      ready = 1;
      if (masked) sigprocmask(SIG_BLOCK, &coming, nullptr);
      count += 1;
      if (masked) sigprocmask(SIG_UNBLOCK, &coming, nullptr);
      while (asked == 0) usleep(10);
      expect(count == 2);
      _exit(0);
    }
    while (ready == 0) usleep(10);
    expect(that(kill(server, SIGUSR1)) == 0);
    waitpid(server, nullptr, 0);
  });
  scenario.finally([] {});
}

volatile sig_atomic_t reaped = 0;

void reap_one(int) {
  const int error = errno;
  if (waitpid(-1, nullptr, WNOHANG) > 0) reaped = reaped + 1;
  errno = error;
}

void reap_all(int) {
  const int error = errno;
  while (waitpid(-1, nullptr, WNOHANG) > 0) reaped = reaped + 1;
  errno = error;
}

void reap_children(forkloom::scenario& scenario, void (*handler)(int)) {
  scenario.process("shell", [handler] {
    constexpr int children = 2;
    const auto deaths = set_of({SIGCHLD});
    sigset_t before;
    sigprocmask(SIG_BLOCK, &deaths, &before);
    handle(SIGCHLD, handler);
    for (int i = 0; i < children; ++i)
      if (fork() == 0) _exit(0);
    while (reaped < children) sigsuspend(&before);
  });
  scenario.finally([] {});
}

// A reply comes late, or not at all: then the alarm ends the wait.
void wait_with_alarm(forkloom::scenario& scenario, bool pauses) {
  auto& work = scenario.shared<int>("work", 0);
  scenario.process("client", [pauses] {
    const auto alarms = set_of({SIGALRM});
    if (pauses)
      handle(SIGALRM, [](int) {});
    else
      sigprocmask(SIG_BLOCK, &alarms, nullptr);
    ualarm(4, 0);  // four steps
    if (pauses)
      expect(that(pause()) == -1);
    else
      expect(that(sigwaitinfo(&alarms, nullptr)) == SIGALRM);
  });
  scenario.process("server", [&] {
    for (int i = 0; i < 20; ++i) work = i;
  });
  scenario.finally([] {});
}

}  // namespace

FORKLOOM_SCENARIO("a signal between the check and the pause", "[signal][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  stop_a_worker(scenario, false);
}

FORKLOOM_SCENARIO("a signal that only sigsuspend lets in", "[signal][correct]") {
  stop_a_worker(scenario, true);
}

FORKLOOM_SCENARIO("a handler within the update of a counter", "[signal][lost-update][broken]",
                  .expects = {violation_kind::expectation}) {
  count_requests(scenario, false);
}

FORKLOOM_SCENARIO("a counter that is updated with the signal blocked", "[signal][correct]") {
  count_requests(scenario, true);
}

FORKLOOM_SCENARIO("one wait for each SIGCHLD", "[signal][process][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  reap_children(scenario, reap_one);
}

FORKLOOM_SCENARIO("all that have died waited for at each SIGCHLD", "[signal][process][correct]") {
  reap_children(scenario, reap_all);
}

FORKLOOM_SCENARIO("an alarm that is over before the pause", "[signal][timer][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  wait_with_alarm(scenario, true);
}

FORKLOOM_SCENARIO("an alarm that is waited for", "[signal][timer][correct]") {
  wait_with_alarm(scenario, false);
}

// Who gets a signal, and what it does by default.
#include <semaphore.h>
#include <sys/wait.h>

#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::deaths;
using forkloom::semantics::signalled;

struct family : signalled {
  sem_t never;
  family() { sem_init(&never, 1, 0); }
};

pid_t fork_and_stay(family& w) {
  const auto child = fork();
  if (child == 0) {
    while (sem_wait(&w.never) != 0) continue;
    _exit(1);
  }
  return child;
}

int status_of(pid_t child) {
  int status = -1;
  return waitpid(child, &status, 0) == child ? status : -2;
}

int end_of_stayer(family& w, int signal) {
  const auto child = fork_and_stay(w);
  kill(child, signal);
  return status_of(child);
}

}  // namespace

TEST_CASE("a signal whose default is to end the process does so, in any call") {
  const auto seen = both<family>({[](family& w) {
                                   w.note(0, end_of_stayer(w, SIGTERM));
                                   w.note(1, end_of_stayer(w, SIGINT));
                                   w.note(2, end_of_stayer(w, SIGUSR1));
                                   w.note(3, end_of_stayer(w, SIGRTMIN + 2) == SIGRTMIN + 2);
                                   w.note(4, end_of_stayer(w, SIGABRT) & 0x7f);
                                   w.note(5, end_of_stayer(w, SIGSEGV) & 0x7f);
                                 }},
                                 deaths::wanted);
  CHECK(seen[0] == SIGTERM);
  CHECK(seen[1] == SIGINT);
  CHECK(seen[2] == SIGUSR1);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == SIGABRT);
  CHECK(seen[5] == SIGSEGV);
}

TEST_CASE("a process that has handlers dies of signals that it does not catch") {
  const auto seen = both<family>({[](family& w) {
                                   w.on(SIGUSR1);
                                   w.note(0, end_of_stayer(w, SIGTERM));
                                   const auto child = fork_and_stay(w);
                                   kill(child, SIGUSR1);
                                   w.await_handled(1);
                                   kill(child, SIGTERM);
                                   w.note(1, status_of(child));
                                 }},
                                 deaths::wanted);
  CHECK(seen[0] == SIGTERM);
  CHECK(seen[1] == SIGTERM);
}

TEST_CASE("signals whose default is to be ignored are not noticed") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork_and_stay(w);
    for (const int signal : {SIGCHLD, SIGURG, SIGWINCH, SIGCONT}) kill(child, signal);
    sem_post(&w.never);
    w.note(0, status_of(child));
  }});
  CHECK(seen[0] == 1 << 8);
}

TEST_CASE("abort ends the process after its handler, and cannot be ignored") {
  const auto seen = both<family>({[](family& w) {
                                   w.on(SIGABRT);
                                   auto child = fork();
                                   if (child == 0) abort();
                                   w.note(0, status_of(child) & 0x7f);
                                   w.note(1, static_cast<long>(w.handled));
                                   signal(SIGABRT, SIG_IGN);
                                   child = fork();
                                   if (child == 0) abort();
                                   w.note(2, status_of(child) & 0x7f);
                                 }},
                                 deaths::wanted);
  CHECK(seen[0] == SIGABRT);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == SIGABRT);
}

TEST_CASE("a signal to a group reaches its members and nobody else") {
  const auto seen = both<family>({[](family& w) {
                                   setpgid(0, 0);
                                   w.on(SIGUSR1, SA_RESTART);
                                   const auto outside = fork();
                                   if (outside == 0) {
                                     setpgid(0, 0);
                                     w.note(9, 1);
                                     sem_wait(&w.never);
                                     _exit(1);
                                   }
                                   while (w.seen[9] != 1) usleep(1000);
                                   const auto inside = fork_and_stay(w);
                                   w.note_error(0, kill(0, SIGUSR1));
                                   w.await_handled(2);
                                   w.note_error(1, killpg(getpgrp(), SIGUSR1));
                                   w.await_handled(4);
                                   w.note_error(2, kill(-getpgrp(), SIGUSR1));
                                   w.await_handled(6);
                                   w.note(3, static_cast<long>(w.handled));
                                   w.note_error(4, killpg(outside, SIGKILL));
                                   w.note(5, status_of(outside));
                                   kill(inside, SIGKILL);
                                   w.note(6, status_of(inside));
                                   w.note_error(7, killpg(outside, SIGUSR1));
                                 }},
                                 deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 6);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == SIGKILL);
  CHECK(seen[6] == SIGKILL);
  CHECK(seen[7] == ESRCH);
}

TEST_CASE("signals that do not exist, or have nobody to go to, are refused by every call") {
  const auto seen = both<family>({[](family& w) {
    const auto gone = fork();
    if (gone == 0) _exit(0);
    status_of(gone);
    w.note_error(0, sigqueue(gone, SIGUSR1, sigval{}));
    w.note_error(1, sigqueue(getpid(), 65, sigval{}));
    w.note_error(2, tgkill(getpid(), gone, SIGUSR1));
    w.note_error(3, tgkill(getpid(), gettid(), 65));
    w.note(4, pthread_kill(pthread_self(), 65));
    w.note(5, pthread_kill(pthread_self(), 0));
    w.note_error(6, sigqueue(getpid(), 0, sigval{}));
    w.note_error(7, killpg(gone, 0));
    w.note_error(8, kill(-gone, 65));
  }});
  CHECK(seen[0] == ESRCH);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == ESRCH);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == ESRCH);
  CHECK(seen[8] == ESRCH);
}

TEST_CASE("a handler may post, write and send on its part") {
  const auto seen = both<family>({
      [](family& w) {
        static family* world = nullptr;
        world = &w;
        w.receive();
        struct sigaction action {};
        sigemptyset(&action.sa_mask);
        action.sa_handler = [](int) {
          sem_post(&world->never);
          kill(static_cast<pid_t>(world->seen[10]), SIGUSR2);
        };
        sigaction(SIGUSR1, &action, nullptr);
        w.next_call_waits();
        w.note_error(0, pause());
        w.note(10, 0);
      },
      [](family& w) {
        w.note(10, getpid());
        const auto set = forkloom::semantics::set_of({SIGUSR2});
        sigprocmask(SIG_BLOCK, &set, nullptr);
        kill(w.await_waiting_receiver(), SIGUSR1);
        w.note_error(1, sem_wait(&w.never));
        int got = 0;
        sigwait(&set, &got);
        w.note(2, got);
      },
  });
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SIGUSR2);
}

// Signals that are sent past libc: with information of the sender's own making, through a pidfd, by
// the kernel when a parent dies.
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include "tests/integration/semantics/signals.hpp"

namespace {

using namespace forkloom::semantics;

struct family : signalled {
  sem_t never;
  sem_t go;
  std::atomic<pid_t> thread{0};
  family() {
    sem_init(&never, 1, 0);
    sem_init(&go, 1, 0);
  }
};

siginfo_t information(int code, int value) {
  siginfo_t info{};
  info.si_code = code;
  info.si_value.sival_int = value;
  info.si_pid = 4711;
  return info;
}

long queue(pid_t pid, int signal, siginfo_t info) {
  return syscall(SYS_rt_sigqueueinfo, pid, signal, &info);
}

int pidfd_of(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

long send_through(int fd, int signal, siginfo_t* info = nullptr, unsigned flags = 0) {
  return syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}

bool is_pending(int signal) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

pid_t fork_and_stay(family& w) {
  const auto child = fork();
  if (child == 0)
    for (;;) sem_wait(&w.never);
  return child;
}

}  // namespace

TEST_CASE("information of the sender's own making comes as it was made") {
  const auto seen = both<family>({
      [](family& w) {
        w.on(SIGUSR1, SA_SIGINFO);
        w.next_call_waits();
        w.note_error(0, sem_wait(&w.never));
        w.note(1, w.log[0].code);
        w.note(2, w.log[0].value);
        w.note(3, w.log[0].sender);
      },
      [](family& w) {
        const auto to = w.await_waiting_receiver();
        w.note_error(4, queue(to, SIGUSR1, information(SI_USER, 1)));
        w.note_error(5, queue(to, SIGUSR1, information(SI_TKILL, 1)));
        w.note_error(6, syscall(SYS_rt_sigqueueinfo, to, SIGUSR1, nullptr));
        w.note_error(7, queue(to, 99, information(SI_QUEUE, 1)));
        w.note_error(8, queue(to, 0, information(SI_QUEUE, 1)));
        w.note_error(9, queue(to, SIGUSR1, information(-7, 9)));
      },
  });
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == -7);
  CHECK(seen[2] == 9);
  CHECK(seen[3] == 4711);
  CHECK(seen[4] == EPERM);
  CHECK(seen[5] == EPERM);
  CHECK(seen[6] == EFAULT);
  CHECK(seen[7] == EINVAL);
  CHECK(seen[8] == 0);
  CHECK(seen[9] == 0);
}

TEST_CASE("a process may make up everything about a signal to itself") {
  const auto seen = both<family>({[](family& w) {
    w.on(SIGUSR1, SA_SIGINFO);
    w.note_error(0, queue(getpid(), SIGUSR1, information(SI_USER, 0)));
    w.note(1, w.log[0].code);
    w.note(2, w.log[0].sender);
    auto info = information(SI_QUEUE, 8);
    w.note_error(3, syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info));
    w.note(4, w.log[1].value);
    w.note_error(5, syscall(SYS_rt_tgsigqueueinfo, getpid(), -1, SIGUSR1, &info));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == SI_USER);
  CHECK(seen[2] == 4711);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 8);
  CHECK(seen[5] == EINVAL);
}

TEST_CASE("a signal with information is for one thread, and a thread's number for its process") {
  const auto seen = both<family>({
      [](family& w) {
        static family* world;
        world = &w;
        w.receive();
        block({SIGUSR1, SIGUSR2});
        pthread_t thread{};
        pthread_create(
            &thread, nullptr,
            [](void*) -> void* {
              world->thread = gettid();
              const auto awaited = set_of({SIGUSR1});
              siginfo_t info{};
              world->note(0, sigwaitinfo(&awaited, &info));
              world->note(1, info.si_value.sival_int);
              return nullptr;
            },
            nullptr);
        sem_wait(&w.go);
        w.note(2, is_pending(SIGUSR1));
        w.note(3, is_pending(SIGUSR2));
        sem_post(&w.never);
        pthread_join(thread, nullptr);
      },
      [](family& w) {
        while (w.thread == 0) usleep(1000);
        const pid_t to = w.thread;
        w.note_error(4, kill(to, SIGUSR2));
        sem_post(&w.go);
        sem_wait(&w.never);
        auto info = information(SI_QUEUE, 3);
        w.note_error(5, syscall(SYS_rt_tgsigqueueinfo, w.receiver.load(), to, SIGUSR1, &info));
      },
  });
  CHECK(seen[0] == SIGUSR1);
  CHECK(seen[1] == 3);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
}

TEST_CASE("a signal through a pidfd interrupts the process, with the sender's or its own words") {
  const auto seen = both<family>({
      [](family& w) {
        w.on(SIGUSR1, SA_SIGINFO);
        w.next_call_waits();
        w.note_error(0, sem_wait(&w.never));
        w.note(1, w.log[0].code);
        w.note(2, w.log[0].sender == w.thread);
        w.note_error(3, sem_wait(&w.never));
        w.note(4, w.log[1].value);
      },
      [](family& w) {
        const int fd = pidfd_of(w.await_waiting_receiver());
        w.thread = getpid();
        w.note_error(5, send_through(fd, SIGUSR1));
        w.await_handled(1);
        auto info = information(SI_QUEUE, 6);
        info.si_signo = SIGUSR1;
        w.note_error(6, send_through(fd, SIGUSR2, &info));  // it is another signal
        w.note_error(7, send_through(fd, SIGUSR1, &info));
        close(fd);
      },
  });
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == SI_USER);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EINTR);
  CHECK(seen[4] == 6);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == EINVAL);
  CHECK(seen[7] == 0);
}

TEST_CASE("a process is ended through its pidfd, which tells of that and then is of no use") {
  const auto seen =
      both<family>({[](family& w) {
                     const auto child = fork_and_stay(w);
                     const int fd = pidfd_of(child);
                     w.note_error(0, send_through(fd, 0));
                     pollfd one{fd, POLLIN, 0};
                     w.note(1, poll(&one, 1, 0));
                     w.note_error(2, send_through(fd, SIGTERM));
                     w.note(3, poll(&one, 1, -1));
                     w.note_error(4, send_through(fd, SIGTERM));  // to what is left of it
                     int status = 0;
                     w.note(5, waitpid(child, &status, 0) == child);
                     w.note(6, status);
                     w.note_error(7, send_through(fd, 0));
                     w.note_error(8, send_through(fd, SIGTERM));
                     close(fd);
                     w.note_error(9, send_through(fd, SIGTERM));
                     w.note_error(10, pidfd_of(0));
                     w.note_error(11, pidfd_of(child));
                   }},
                   deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == SIGTERM);
  CHECK(seen[7] == ESRCH);
  CHECK(seen[8] == ESRCH);
  CHECK(seen[9] == EBADF);
  CHECK(seen[10] == EINVAL);
  CHECK(seen[11] == ESRCH);
}

TEST_CASE("a child that catches it is told by a signal that its parent has died") {
  const auto seen = both<family>({[](family& w) {
    const auto parent = fork();
    if (parent == 0) {
      if (fork() == 0) {
        w.on(SIGUSR1);
        block({SIGUSR1});
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        sem_post(&w.go);
        const auto open = set_of({});
        w.note_error(0, sigsuspend(&open));
        w.note(1, static_cast<long>(w.handled));
        w.call_has_ended();
        _exit(0);
      }
      while (sem_wait(&w.go) != 0) continue;
      _exit(0);
    }
    waitpid(parent, nullptr, 0);
    w.await_its_end();
  }});
  CHECK(seen[0] == EINTR);
  CHECK(seen[1] == 1);
}

TEST_CASE("a child that waits for that signal or ignores it goes on when its parent dies") {
  const auto seen = both<family>({[](family& w) {
    const auto parent = fork();
    if (parent == 0) {
      if (fork() == 0) {
        signal(SIGUSR2, SIG_IGN);
        prctl(PR_SET_PDEATHSIG, SIGUSR2);
        sem_post(&w.go);
        while (w.handled == 0) usleep(1000);
        w.note(1, 1);
        w.call_has_ended();
        _exit(0);
      }
      if (fork() == 0) {
        block({SIGUSR1});
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        sem_post(&w.go);
        const auto awaited = set_of({SIGUSR1});
        w.note(0, sigwaitinfo(&awaited, nullptr));
        ++w.handled;
        _exit(0);
      }
      for (int i = 0; i < 2; ++i)
        while (sem_wait(&w.go) != 0) continue;
      _exit(0);
    }
    waitpid(parent, nullptr, 0);
    w.await_its_end();
  }});
  CHECK(seen[0] == SIGUSR1);
  CHECK(seen[1] == 1);
}

// Signals of processes with several threads.
#include <pthread.h>
#include <sys/wait.h>

#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::block;
using forkloom::semantics::both;
using forkloom::semantics::set_of;
using forkloom::semantics::signalled;
using forkloom::semantics::unblock;

// What the handlers of this file know of.
struct crew : signalled {
  std::atomic<pid_t> handler_ran_in{0};
  std::atomic<bool> ready{false};
  std::atomic<bool> over{false};

  void tell_thread_on(int signal, int flags = 0) {
    world = this;
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_flags = flags;
    action.sa_handler = [](int) {
      world->handler_ran_in = gettid();
      world->handled++;
    };
    sigaction(signal, &action, nullptr);
  }

  void await_ready() const {
    while (!ready) usleep(1000);
  }

  static inline crew* world = nullptr;
};

pthread_t start(crew& w, void* (*routine)(void*)) {
  pthread_t thread{};
  pthread_create(&thread, nullptr, routine, &w);
  return thread;
}

}  // namespace

TEST_CASE("pthread_kill runs the handler in that thread, and interrupts what it waits in") {
  const auto seen = both<crew>({[](crew& w) {
    w.tell_thread_on(SIGUSR1);
    const auto thread = start(w, [](void* world) -> void* {
      auto& c = *static_cast<crew*>(world);
      c.note(0, gettid());
      c.ready = true;
      c.note_error(1, pause());
      return nullptr;
    });
    w.await_ready();
    usleep(5000);
    w.note(2, pthread_kill(thread, SIGUSR1));
    w.note(3, pthread_join(thread, nullptr));
    w.note(4, w.handler_ran_in == w.seen[0]);
    w.note(0, 0);
  }});
  CHECK(seen[1] == EINTR);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
}

TEST_CASE("a signal to the process goes to a thread that does not block it") {
  const auto seen = both<crew>({[](crew& w) {
    w.tell_thread_on(SIGUSR1);
    block({SIGUSR1});
    const auto deaf = start(w, [](void* world) -> void* {
      while (!static_cast<crew*>(world)->over) usleep(1000);
      return nullptr;
    });
    const auto thread = start(w, [](void* world) -> void* {
      auto& c = *static_cast<crew*>(world);
      c.note(0, gettid());
      unblock({SIGUSR1});
      c.ready = true;
      while (!c.over) usleep(1000);
      return nullptr;
    });
    w.await_ready();
    kill(getpid(), SIGUSR1);
    w.await_handled(1);
    w.note(1, w.handler_ran_in == w.seen[0]);
    w.over = true;
    pthread_join(thread, nullptr);
    pthread_join(deaf, nullptr);
    w.note(2, static_cast<long>(w.handled));
    w.note(0, 0);
  }});
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
}

TEST_CASE("one thread takes by sigwait what all others block") {
  const auto seen = both<crew>({
      [](crew& w) {
        block({SIGUSR1, SIGUSR2});
        w.receiver = getpid();
        const auto thread = start(w, [](void* world) -> void* {
          auto& c = *static_cast<crew*>(world);
          const auto set = set_of({SIGUSR1, SIGUSR2});
          long sum = 0;
          for (int i = 0; i < 2; ++i) {
            int got = 0;
            sigwait(&set, &got);
            sum += got;
            c.handled++;
          }
          c.note(0, sum);
          return nullptr;
        });
        pthread_join(thread, nullptr);
      },
      [](crew& w) {
        w.await_receiver();
        kill(w.receiver, SIGUSR1);
        w.await_handled(1);
        kill(w.receiver, SIGUSR2);
      },
  });
  CHECK(seen[0] == SIGUSR1 + SIGUSR2);
}

TEST_CASE("a thread begins with the mask of its creator, and has one of its own") {
  const auto seen = both<crew>({[](crew& w) {
    block({SIGUSR1});
    const auto thread = start(w, [](void* world) -> void* {
      auto& c = *static_cast<crew*>(world);
      sigset_t mask;
      pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      c.note(0, sigismember(&mask, SIGUSR1));
      block({SIGUSR2});
      return nullptr;
    });
    pthread_join(thread, nullptr);
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    w.note(1, sigismember(&mask, SIGUSR1));
    w.note(2, sigismember(&mask, SIGUSR2));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
}

TEST_CASE("a signal that ends the process ends all its threads") {
  const auto seen = both<crew>({[](crew& w) {
                                 const auto child = fork();
                                 if (child == 0) {
                                   start(w, [](void*) -> void* {
                                     pause();
                                     return nullptr;
                                   });
                                   w.ready = true;
                                   pause();
                                 }
                                 w.await_ready();
                                 kill(child, SIGTERM);
                                 int status = 0;
                                 w.note(0, waitpid(child, &status, 0) == child);
                                 w.note(1, status);
                               }},
                               forkloom::semantics::deaths::wanted);
  CHECK(seen[0] == 1);
  CHECK(seen[1] == SIGTERM);
}

TEST_CASE("a stop takes all threads of a process with it until it goes on") {
  const auto seen = both<crew>({[](crew& w) {
    const auto child = fork();
    if (child == 0) {
      const auto thread = start(w, [](void* world) -> void* {
        while (!static_cast<crew*>(world)->over) usleep(1000);
        return nullptr;
      });
      w.ready = true;
      pthread_join(thread, nullptr);
      _exit(4);
    }
    w.await_ready();
    kill(child, SIGSTOP);
    int status = 0;
    w.note(0, waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    w.over = true;
    usleep(5000);
    w.note(1, waitpid(child, &status, WNOHANG));
    kill(child, SIGCONT);
    w.note(2, waitpid(child, &status, 0) == child);
    w.note(3, status);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 4 << 8);
}

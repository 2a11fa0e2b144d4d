// What handlers and their flags do.
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::block;
using forkloom::semantics::both;
using forkloom::semantics::deaths;
using forkloom::semantics::set_of;
using forkloom::semantics::signalled;
using forkloom::semantics::unblock;

// How a child ends that does this.
template <class Body>
int status_after(Body does) {
  const auto child = fork();
  if (child == 0) {
    does();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

sigjmp_buf back;  // NOLINT: a handler has no other way to reach it

}  // namespace

TEST_CASE("a handler runs before raise and kill to oneself return") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1);
    w.note_error(0, raise(SIGUSR1));
    w.note(1, static_cast<long>(w.handled));
    w.note_error(2, kill(getpid(), SIGUSR1));
    w.note(3, static_cast<long>(w.handled));
    w.note(4, pthread_kill(pthread_self(), SIGUSR1));
    w.note(5, static_cast<long>(w.handled));
    w.note_error(6, tgkill(getpid(), gettid(), SIGUSR1));
    w.note(7, static_cast<long>(w.handled));
    w.note(8, w.log[3].signal == SIGUSR1);
  }});
  CHECK(seen[1] == 1);
  CHECK(seen[3] == 2);
  CHECK(seen[5] == 3);
  CHECK(seen[7] == 4);
  CHECK(seen[8] == 1);
  for (const std::size_t i : {0, 2, 4, 6}) CHECK(seen[i] == 0);
}

TEST_CASE("SA_SIGINFO tells who has sent a signal, and how") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1, SA_SIGINFO);
        w.on(SIGUSR2, SA_SIGINFO);
        w.await_handled(2);
        w.note(0, w.log[0].signal);
        w.note(1, w.log[0].code);
        w.note(2, w.log[0].sender == w.seen[10]);
        w.note(3, w.log[1].signal);
        w.note(4, w.log[1].code);
        w.note(5, w.log[1].value);
        w.note(6, w.log[1].sender == w.seen[10]);
        w.note(10, 0);
      },
      [](signalled& w) {
        w.note(10, getpid());
        while (w.receiver == 0) usleep(1000);
        usleep(5000);
        kill(w.receiver, SIGUSR1);
        w.await_handled(1);
        sigqueue(w.receiver, SIGUSR2, sigval{.sival_int = 42});
      },
  });
  CHECK(seen[0] == SIGUSR1);
  CHECK(seen[1] == SI_USER);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == SIGUSR2);
  CHECK(seen[4] == SI_QUEUE);
  CHECK(seen[5] == 42);
  CHECK(seen[6] == 1);
}

TEST_CASE("a handler is not interrupted by its own signal, unless SA_NODEFER says so") {
  const auto seen = both<signalled>({[](signalled& w) {
    static signalled* world = nullptr;
    static int depth = 0;
    static long deepest = 0;
    world = &w;
    const auto nests = [](int) {
      ++depth;
      deepest = std::max<long>(deepest, depth);
      if (world->handled++ == 0) raise(SIGUSR1);
      --depth;
    };
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_handler = nests;
    sigaction(SIGUSR1, &action, nullptr);
    raise(SIGUSR1);
    w.note(0, deepest);
    w.note(1, static_cast<long>(w.handled));
    w.handled = 0;
    deepest = 0;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGUSR1, &action, nullptr);
    raise(SIGUSR1);
    w.note(2, deepest);
    w.note(3, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 2);
  CHECK(seen[2] == 2);
  CHECK(seen[3] == 2);
}

TEST_CASE("sa_mask keeps other signals out of a handler until it is over") {
  const auto seen = both<signalled>({[](signalled& w) {
    static signalled* world = nullptr;
    world = &w;
    w.on(SIGUSR2);
    struct sigaction action {};
    action.sa_mask = set_of({SIGUSR2});
    action.sa_handler = [](int) {
      raise(SIGUSR2);
      world->note(0, static_cast<long>(world->handled));
    };
    sigaction(SIGUSR1, &action, nullptr);
    raise(SIGUSR1);
    w.note(1, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("SA_RESETHAND brings the default action back with the first signal") {
  const auto seen = both<signalled>({[](signalled& w) {
                                      w.on(SIGUSR1, static_cast<int>(SA_RESETHAND));
                                      raise(SIGUSR1);
                                      w.note(0, static_cast<long>(w.handled));
                                      struct sigaction now {};
                                      sigaction(SIGUSR1, nullptr, &now);
                                      w.note(1, now.sa_handler == SIG_DFL);
                                      w.note(2, status_after([] { raise(SIGUSR1); }));
                                    }},
                                    deaths::wanted);
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == SIGUSR1);
}

TEST_CASE("SA_ONSTACK runs the handler on the alternate stack") {
  const auto seen = both<signalled>({[](signalled& w) {
    static signalled* world = nullptr;
    static char* stack = nullptr;
    constexpr std::size_t size = 256 * 1024;
    world = &w;
    stack = static_cast<char*>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    const stack_t other{.ss_sp = stack, .ss_flags = 0, .ss_size = size};
    w.note_error(0, sigaltstack(&other, nullptr));
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_ONSTACK;
    action.sa_handler = [](int) {
      stack_t now{};
      sigaltstack(nullptr, &now);
      world->note(1, (now.ss_flags & SS_ONSTACK) != 0);
    };
    sigaction(SIGUSR1, &action, nullptr);
    raise(SIGUSR1);
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    sigaltstack(&none, nullptr);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("what a program reads back of its actions is what it has set") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1, SA_RESTART | SA_SIGINFO, SIGUSR2);
    struct sigaction now {};
    w.note_error(0, sigaction(SIGUSR1, nullptr, &now));
    w.note(1, now.sa_flags & (SA_RESTART | SA_SIGINFO | SA_NODEFER));
    w.note(2, sigismember(&now.sa_mask, SIGUSR2));
    w.note(3, signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    w.note(4, signal(SIGUSR1, SIG_DFL) == SIG_IGN);
    w.note(5, signal(SIGUSR1, SIG_DFL) == SIG_DFL);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == (SA_RESTART | SA_SIGINFO));
  for (const std::size_t i : {2, 3, 4, 5}) CHECK(seen[i] == 1);
}

TEST_CASE("signals that cannot be caught, or do not exist, are refused") {
  const auto seen = both<signalled>({[](signalled& w) {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    w.note_error(0, sigaction(SIGKILL, &action, nullptr));
    w.note_error(1, sigaction(SIGSTOP, &action, nullptr));
    w.note_error(2, sigaction(65, &action, nullptr));
    w.note_error(3, sigaction(0, &action, nullptr));
    w.note(4, signal(SIGKILL, SIG_IGN) == SIG_ERR ? errno : 0);
    w.note_error(5, raise(65));
  }});
  for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i] == EINVAL);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // siginterrupt: old programs call it
TEST_CASE("signal() restarts calls, sysv_signal() forgets the handler, siginterrupt() interrupts") {
  const auto seen = both<signalled>({[](signalled& w) {
    const auto flags = [] {
      struct sigaction now {};
      sigaction(SIGUSR1, nullptr, &now);
      return now.sa_flags & (SA_RESTART | static_cast<int>(SA_RESETHAND) | SA_NODEFER);
    };
    signal(SIGUSR1, [](int) {});
    w.note(0, flags());
    siginterrupt(SIGUSR1, 1);
    w.note(1, flags());
    siginterrupt(SIGUSR1, 0);
    w.note(2, flags());
    sysv_signal(SIGUSR1, [](int) {});
    w.note(3, flags());
  }});
  CHECK(seen[0] == SA_RESTART);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SA_RESTART);
  CHECK(seen[3] == (static_cast<int>(SA_RESETHAND) | SA_NODEFER));
}
#pragma GCC diagnostic pop

TEST_CASE("an ignored signal vanishes, a blocked one waits even so") {
  const auto seen = both<signalled>({[](signalled& w) {
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    block({SIGUSR2});
    raise(SIGUSR2);
    w.on(SIGUSR2);
    w.note(0, static_cast<long>(w.handled));
    unblock({SIGUSR2});
    w.note(1, static_cast<long>(w.handled));
    w.on(SIGUSR1);
    w.note(2, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
}

TEST_CASE("handlers are inherited by a child, pending signals are not") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1);
    block({SIGUSR1});
    raise(SIGUSR1);
    const auto child = fork();
    if (child == 0) {
      unblock({SIGUSR1});
      w.note(0, static_cast<long>(w.handled));
      raise(SIGUSR1);
      w.note(1, static_cast<long>(w.handled));
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    unblock({SIGUSR1});
    w.note(2, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 2);
}

TEST_CASE("a handler may jump out of a call that waits") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.receive();
        signal(SIGUSR1, [](int) { siglongjmp(back, 7); });
        if (const int came = sigsetjmp(back, 1); came != 0) {
          w.note(0, came);
          w.call_has_ended();
          w.on(SIGUSR1);
          raise(SIGUSR1);
          w.note(1, static_cast<long>(w.handled));
          return;
        }
        w.next_call_waits();
        pause();
      },
      [](signalled& w) { kill(w.await_waiting_receiver(), SIGUSR1); },
  });
  CHECK(seen[0] == 7);
  CHECK(seen[1] == 1);
}

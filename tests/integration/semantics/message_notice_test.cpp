// Being told of messages: mq_notify by signals and by threads.
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

#include "tests/integration/semantics/queues.hpp"
#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::block;
using forkloom::semantics::both;
using forkloom::semantics::deaths;
using forkloom::semantics::set_of;
using forkloom::semantics::signalled;

// A queue for two messages, whose name the tests' own process has taken away.
struct post : signalled {
  mqd_t queue = -1;
  sem_t told;
  std::atomic<int> asked{0};

  post() {
    const auto name = "/forkloom-notice-" + std::to_string(getpid());
    mq_attr attributes{};
    attributes.mq_maxmsg = 2;
    attributes.mq_msgsize = 8;
    queue = mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, &attributes);
    mq_unlink(name.c_str());
    sem_init(&told, 1, 0);
  }
  post(const post&) = delete;
  ~post() { mq_close(queue); }

  long send(const char* text = "x") const { return mq_send(queue, text, 1, 0) == 0 ? 0 : errno; }
  // The first character of the next message, or minus the error.
  long receive() const {
    std::array<char, 8> text{};
    return mq_receive(queue, text.data(), text.size(), nullptr) >= 0 ? text[0] : -errno;
  }
  long ask_for_signal(int signal) {
    sigevent how{};
    how.sigev_notify = SIGEV_SIGNAL;
    how.sigev_signo = signal;
    how.sigev_value.sival_int = 5;
    const auto result = mq_notify(queue, &how) == 0 ? 0 : errno;
    ++asked;
    return result;
  }
  void await_asked(int count) const {
    while (asked < count) usleep(1000);
  }
};

post* here = nullptr;

long ask_for_thread(post& w, void (*function)(sigval)) {
  here = &w;
  sigevent how{};
  how.sigev_notify = SIGEV_THREAD;
  how.sigev_notify_function = function;
  how.sigev_value.sival_int = 6;
  const auto result = mq_notify(w.queue, &how) == 0 ? 0 : errno;
  ++w.asked;
  return result;
}

}  // namespace

TEST_CASE("a handler tells of a message that comes to an empty queue, and who sent it") {
  const auto seen = both<post>({
      [](post& w) {
        w.on(SIGUSR1, SA_SIGINFO);
        block({SIGUSR1});
        w.note(0, w.ask_for_signal(SIGUSR1));
        auto open = set_of({});
        w.note_error(1, sigsuspend(&open));
        w.note(2, static_cast<long>(w.handled));
        w.note(3, w.log[0].code);
        w.note(4, w.log[0].value);
        w.note(5, w.log[0].sender == w.log[1].sender);
        w.note(6, w.receive());
      },
      [](post& w) {
        w.log[1].sender = getpid();
        w.await_asked(1);
        w.note(7, w.send("a"));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EINTR);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == SI_MESGQ);
  CHECK(seen[4] == 5);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == 'a');
  CHECK(seen[7] == 0);
}

TEST_CASE("a notice interrupts whoever waits for something else") {
  const auto seen = both<post>({
      [](post& w) {
        w.on(SIGUSR1);
        w.ask_for_signal(SIGUSR1);
        w.next_call_waits();
        w.note_error(0, sem_wait(&w.told));
      },
      [](post& w) {
        w.await_waiting_receiver();
        w.await_asked(1);
        w.send();
      },
  });
  CHECK(seen[0] == EINTR);
}

TEST_CASE("a sender that is to be told itself is told before its call returns") {
  const auto seen = both<post>({[](post& w) {
    w.on(SIGUSR1);
    w.ask_for_signal(SIGUSR1);
    w.send();
    w.note(0, static_cast<long>(w.handled));
    w.send();
    w.note(1, static_cast<long>(w.handled));
    w.note(2, w.ask_for_signal(SIGUSR1));
    w.receive();
    w.send();
    w.note(3, static_cast<long>(w.handled));
    w.receive();
    w.receive();
    w.send();
    w.note(4, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);  // the queue was not empty
  CHECK(seen[4] == 2);
}

TEST_CASE("nobody is told of a message that somebody waits for, and the request stands") {
  const auto seen = both<post>({
      [](post& w) {
        w.await_waiter();
        w.on(SIGUSR1);
        w.ask_for_signal(SIGUSR1);
        w.note(0, w.send("a"));
        w.await_its_end();
        w.note(1, static_cast<long>(w.handled));
        w.note(2, w.send("b"));
        w.note(3, static_cast<long>(w.handled));
      },
      [](post& w) {
        w.next_call_waits();
        w.note(4, w.receive());
        w.call_has_ended();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 'a');
}

TEST_CASE("only one process is told at a time, and none that has closed the queue or has died") {
  const auto seen = both<post>({
      [](post& w) {
        const auto child = fork();
        if (child == 0) {
          block({SIGUSR1});
          w.note(0, w.ask_for_signal(SIGUSR1));
          sem_wait(&w.told);
          _exit(0);
        }
        w.await_asked(1);
        signal(SIGUSR1, SIG_IGN);
        w.note(1, w.ask_for_signal(SIGUSR1));
        w.note_error(2, mq_notify(w.queue, nullptr));  // it is not ours
        w.note(3, w.ask_for_signal(SIGUSR1));
        sem_post(&w.told);
        waitpid(child, nullptr, 0);
        w.note(4, w.ask_for_signal(SIGUSR1));
        const auto other = dup(w.queue);
        close(other);
        w.note(5, w.ask_for_signal(SIGUSR1));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EBUSY);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == EBUSY);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
}

TEST_CASE("a notice whose signal is not caught ends the process that asked for it") {
  const auto seen = both<post>({[](post& w) {
                                 const auto child = fork();
                                 if (child == 0) {
                                   w.ask_for_signal(SIGUSR1);
                                   for (;;) sem_wait(&w.told);
                                 }
                                 w.await_asked(1);
                                 w.note(0, w.send());
                                 int status = 0;
                                 waitpid(child, &status, 0);
                                 w.note(1, status);
                               }},
                               deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == SIGUSR1);
}

TEST_CASE("a thread is made for a message, with the value, and with no signal blocked") {
  const auto seen = both<post>({
      [](post& w) {
        block({SIGUSR2});
        w.note(0, ask_for_thread(w, [](sigval value) {
                 here->note(1, value.sival_int);
                 here->note(2, here->receive());
                 sigset_t blocked;
                 pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
                 here->note(3, sigismember(&blocked, SIGUSR1) + sigismember(&blocked, SIGUSR2));
                 sem_post(&here->told);
               }));
        while (sem_wait(&w.told) != 0) continue;
      },
      [](post& w) {
        w.await_asked(1);
        w.note(4, w.send("a"));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 6);
  CHECK(seen[2] == 'a');
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("a thread that is told may ask to be told again") {
  const auto seen = both<post>({
      [](post& w) {
        static void (*const tell)(sigval) = [](sigval) {
          if (here->asked < 2) here->note(0, ask_for_thread(*here, tell));
          here->note(static_cast<std::size_t>(here->receive() - 'a' + 1), 1);
          sem_post(&here->told);
        };
        ask_for_thread(w, tell);
        for (int i = 0; i < 2; ++i)
          while (sem_wait(&w.told) != 0) continue;
      },
      [](post& w) {
        w.await_asked(1);
        w.send("a");
        w.await_asked(2);
        // The second message is told of only when the first one has been taken.
        for (mq_attr now{}; mq_getattr(w.queue, &now) == 0 && now.mq_curmsgs != 0;) usleep(1000);
        w.send("b");
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
}

TEST_CASE("a thread is made for nobody who takes his request back") {
  const auto seen = both<post>({[](post& w) {
    static void (*const tell)(sigval) = [](sigval) { here->note(2, 1); };
    w.note(0, ask_for_thread(w, tell));
    w.note_error(1, mq_notify(w.queue, nullptr));
    w.send();
    usleep(10'000);
    sigevent how{};
    how.sigev_notify = SIGEV_THREAD;
    how.sigev_notify_function = tell;
    w.note_error(3, mq_notify(forkloom::semantics::unseen(0x7fff), &how));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == forkloom::semantics::notes::nothing);
  CHECK(seen[3] == EBADF);
}

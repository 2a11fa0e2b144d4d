// Time-outs: one that comes before the answer, a sleep that is taken for a signal, and a time-out
// that hides a lost wake-up.
//
// Broken: the answer that comes late is taken for the next one; a process sleeps until another one
// must be done; a wake-up that comes too early is made up for by the clock. Correct: answers say
// what they are for; a semaphore tells; the flag is under the lock.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "forkloom/ipc/condition.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/pipe.hpp"
#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;

namespace {

constexpr int patience_ms = 100;

// Each question is a byte, and so is its answer: the same one.
struct office {
  forkloom::ipc::pipe questions;
  forkloom::ipc::pipe answers;

  void serve() {
    const int in = questions.reader().native_handle();
    const int out = answers.writer().native_handle();
    ::signal(SIGPIPE, SIG_IGN);  // a client may have gone
    for (char what = 0; ::read(in, &what, 1) == 1;)
      if (::write(out, &what, 1) != 1) return;
  }

  void ask(char what) {
    expect(that(::write(questions.write_end().native_handle(), &what, 1)) == 1);
  }

  [[nodiscard]] bool answer_comes() {
    pollfd one{answers.read_end().native_handle(), POLLIN, 0};
    return ::poll(&one, 1, patience_ms) == 1;
  }

  [[nodiscard]] char answer() {
    char what = 0;
    expect(that(::read(answers.read_end().native_handle(), &what, 1)) == 1);
    return what;
  }
};

}  // namespace

FORKLOOM_SCENARIO("an answer that comes after its time-out",
                  "[faults][timeout][expectation][broken]", .faults = "timeout:1",
                  .expects = {forkloom::violation_kind::expectation}) {
  office bureau;
  scenario.process("clerk", [&] { bureau.serve(); });
  scenario.process("client", [&] {
    bureau.answers.reader();
    bureau.questions.writer();
    for (const char question : {'a', 'b'}) {
      bureau.ask(question);
      if (bureau.answer_comes()) expect(that(bureau.answer()) == question);
    }
  });
}

FORKLOOM_SCENARIO("an answer that says what it is for", "[faults][timeout][correct]",
                  .faults = "timeout:2") {
  office bureau;
  scenario.process("clerk", [&] { bureau.serve(); });
  scenario.process("client", [&] {
    bureau.answers.reader();
    bureau.questions.writer();
    for (const char question : {'a', 'b'}) {
      bureau.ask(question);
      char got = 0;
      while (got != question && bureau.answer_comes()) got = bureau.answer();
      expect(got == 0 || got <= question);
    }
  });
}

FORKLOOM_SCENARIO("a sleep until another process must be done",
                  "[faults][timeout][expectation][broken]",
                  .timeouts = forkloom::timeout_policy::race,
                  .expects = {forkloom::violation_kind::expectation}) {
  auto& bread = scenario.shared<int>("bread", 0);
  scenario.process("baker", [&] { bread = 1; });
  scenario.process("eater", [&] {
    ::sleep(3600);
    expect(bread == 1);
  });
}

FORKLOOM_SCENARIO("a semaphore that tells when another process is done",
                  "[faults][timeout][correct]", .timeouts = forkloom::timeout_policy::race) {
  auto& bread = scenario.shared<int>("bread", 0);
  auto& done = scenario.make<forkloom::ipc::semaphore>("done", 0U);
  scenario.process("baker", [&] {
    bread = 1;
    done.release();
  });
  scenario.process("eater", [&] {
    timespec until{};
    ::clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3600;
    if (::sem_timedwait(done.native_handle(), &until) == 0) expect(bread == 1);
  });
}

namespace {

struct letter_box {
  forkloom::ipc::mutex lock;
  forkloom::ipc::condition filled;
  forkloom::shared<bool> has_letter{false};

  // Looks again each second, whether it is told to or not.
  void await_letter() {
    const std::scoped_lock guard(lock);
    while (!has_letter) {
      timespec until{};
      ::clock_gettime(CLOCK_REALTIME, &until);
      ++until.tv_sec;
      ::pthread_cond_timedwait(filled.native_handle(), lock.native_handle(), &until);
    }
  }
};

}  // namespace

FORKLOOM_SCENARIO("a lost wake-up behind a time-out", "[faults][timeout][deadlock][broken]",
                  .timeouts = forkloom::timeout_policy::never,
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& box = scenario.make<letter_box>("box");
  scenario.process("reader", [&] { box.await_letter(); });
  scenario.process("postman", [&] {
    box.has_letter = true;  // between the reader's look and its wait
    box.filled.notify_one();
  });
}

FORKLOOM_SCENARIO("a wake-up that needs no time-out", "[faults][timeout][correct]",
                  .timeouts = forkloom::timeout_policy::never) {
  auto& box = scenario.make<letter_box>("box");
  scenario.process("reader", [&] { box.await_letter(); });
  scenario.process("postman", [&] {
    const std::scoped_lock guard(box.lock);
    box.has_letter = true;
    box.filled.notify_one();
  });
}

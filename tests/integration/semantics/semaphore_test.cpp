#include <fcntl.h>
#include <semaphore.h>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct closed_semaphore : notes {
  sem_t s;
  closed_semaphore() { sem_init(&s, 1, 0); }
  ~closed_semaphore() { sem_destroy(&s); }
};

struct nothing_else : notes {};

}  // namespace

TEST_CASE("a semaphore's waiter goes on when another process posts") {
  const auto seen = both<closed_semaphore>({
      [](closed_semaphore& w) { w.note_error(0, sem_wait(&w.s)); },
      [](closed_semaphore& w) { w.note_error(1, sem_post(&w.s)); },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("trying a semaphore of value zero says EAGAIN") {
  const auto seen = both<closed_semaphore>({[](closed_semaphore& w) {
    w.note_error(0, sem_trywait(&w.s));
    sem_post(&w.s);
    w.note_error(1, sem_trywait(&w.s));
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 0);
}

TEST_CASE("a timed wait for a semaphore that nobody posts ends with ETIMEDOUT") {
  const auto seen = both<closed_semaphore>({[](closed_semaphore& w) {
    const timespec past{.tv_sec = 1, .tv_nsec = 0};
    w.note_error(0, sem_timedwait(&w.s, &past));
    w.note_error(1, sem_clockwait(&w.s, CLOCK_MONOTONIC, &past));
  }});
  CHECK(seen[0] == ETIMEDOUT);
  CHECK(seen[1] == ETIMEDOUT);
}

TEST_CASE("a timed wait with nanoseconds out of range says EINVAL, also on an open semaphore") {
  const auto seen = both<closed_semaphore>({[](closed_semaphore& w) {
    const timespec bad{.tv_sec = 1, .tv_nsec = 1'000'000'000};
    w.note_error(0, sem_timedwait(&w.s, &bad));
    w.note_error(1, sem_clockwait(&w.s, CLOCK_PROCESS_CPUTIME_ID, &bad));
    sem_post(&w.s);
    w.note_error(2, sem_timedwait(&w.s, &bad));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
}

TEST_CASE("a semaphore's value counts posts and waits") {
  const auto seen = both<closed_semaphore>({[](closed_semaphore& w) {
    int value = -1;
    sem_post(&w.s);
    sem_post(&w.s);
    sem_wait(&w.s);
    w.note_error(0, sem_getvalue(&w.s, &value));
    w.note(1, value);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("a semaphore cannot begin above SEM_VALUE_MAX") {
  const auto seen = both<nothing_else>({[](nothing_else& w) {
    sem_t s;
    w.note_error(0, sem_init(&s, 0, static_cast<unsigned>(SEM_VALUE_MAX) + 1U));
  }});
  CHECK(seen[0] == EINVAL);
}

TEST_CASE("a named semaphore is made, found, and gone after it was unlinked") {
  const auto seen = both<nothing_else>({[](nothing_else& w) {
    const char* name = "/forkloom-semantics";
    w.note(0, sem_open(name, 0) == SEM_FAILED ? errno : 0);
    auto* s = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    w.note(1, s == SEM_FAILED ? errno : 0);
    w.note(2, sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED ? errno : 0);
    w.note_error(3, sem_wait(s));
    w.note_error(4, sem_trywait(s));
    w.note_error(5, sem_close(s));
    w.note_error(6, sem_unlink(name));
    w.note_error(7, sem_unlink(name));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EEXIST);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == EAGAIN);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == ENOENT);
}

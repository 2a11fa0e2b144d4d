#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct world : notes {};

std::atomic<int> arrived;
std::atomic<int> cleaned;
std::atomic<int> went_on;

// Unwinding runs destructors, as it does the handlers of pthread_cleanup_push.
struct guard {
  guard() { ++arrived; }
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;
  ~guard() { ++cleaned; }
};

pthread_t start(void* (*routine)(void*), void* argument = nullptr) {
  pthread_t thread{};
  pthread_create(&thread, nullptr, routine, argument);
  return thread;
}

// Cancels the thread once it has begun, and notes how it ended.
void cancel_and_note(world& w, pthread_t thread) {
  while (arrived == 0) sched_yield();
  w.note(0, pthread_cancel(thread));
  void* value = nullptr;
  w.note(1, pthread_join(thread, &value));
  w.note(2, value == PTHREAD_CANCELED);
  w.note(3, cleaned);
  w.note(4, went_on);
}

template <class Seen>
void check_cancelled(const Seen& seen) {
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
}

}  // namespace

TEST_CASE("a thread that waits for a semaphore is cancelled") {
  check_cancelled(both<world>({[](world& w) {
    static sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    cancel_and_note(w, start([](void*) -> void* {
                      const guard one;
                      sem_wait(&semaphore);
                      ++went_on;
                      return nullptr;
                    }));
  }}));
}

TEST_CASE("a thread that reads from an empty pipe is cancelled") {
  check_cancelled(both<world>({[](world& w) {
    static std::array<int, 2> ends;
    if (pipe(ends.data()) != 0) return;
    cancel_and_note(w, start([](void*) -> void* {
                      const guard one;
                      char byte = 0;
                      if (read(ends[0], &byte, 1) >= 0) ++went_on;
                      return nullptr;
                    }));
    close(ends[0]);
    close(ends[1]);
  }}));
}

TEST_CASE("a thread that sleeps, and one that waits for it, are cancelled") {
  const auto seen = both<world>({[](world& w) {
    static pthread_t sleeper;
    sleeper = start([](void*) -> void* {
      for (;;) sleep(1000);
    });
    cancel_and_note(w, start([](void*) -> void* {
                      const guard one;
                      pthread_join(sleeper, nullptr);
                      ++went_on;
                      return nullptr;
                    }));
    // The one that waited is gone: the sleeper can be joined by another.
    w.note(5, pthread_cancel(sleeper));
    void* value = nullptr;
    w.note(6, pthread_join(sleeper, &value));
    w.note(7, value == PTHREAD_CANCELED);
  }});
  check_cancelled(seen);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == 1);
}

TEST_CASE("a condition wait that is cancelled has its mutex while it is cleaned up") {
  check_cancelled(both<world>({[](world& w) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct unlocker {
      ~unlocker() { w->note(5, pthread_mutex_unlock(&mutex)); }
      world* w;
    };
    static world* inside;
    inside = &w;
    cancel_and_note(w, start([](void*) -> void* {
                      pthread_mutex_lock(&mutex);
                      const unlocker last{inside};
                      const guard one;
                      for (;;) pthread_cond_wait(&condition, &mutex);
                    }));
    w.note(6, pthread_mutex_trylock(&mutex));
  }}));
}

TEST_CASE("a thread that has disabled cancellation is cancelled after it enables it") {
  check_cancelled(both<world>({[](world& w) {
    static std::atomic<bool> asked;
    static std::atomic<int> slept;
    asked = false;
    const auto thread = start([](void*) -> void* {
      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
      const guard one;
      while (!asked) usleep(100);
      usleep(100);
      pthread_testcancel();
      ++slept;
      pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
      pthread_testcancel();
      ++went_on;
      return nullptr;
    });
    while (arrived == 0) sched_yield();
    w.note(5, pthread_cancel(thread));
    asked = true;
    cancel_and_note(w, thread);
    w.note(6, slept);
  }}));
}

TEST_CASE("a loop that only tests for it is cancelled") {
  check_cancelled(both<world>({[](world& w) {
    cancel_and_note(w, start([](void*) -> void* {
                      const guard one;
                      for (;;) pthread_testcancel();
                    }));
  }}));
}

TEST_CASE("a thread that has ended can be cancelled, to no effect") {
  const auto seen = both<world>({[](world& w) {
    static std::atomic<int> values;
    const auto thread = start([](void*) -> void* { return &values; });
    while (pthread_tryjoin_np(thread, nullptr) != 0) sched_yield();
    const auto other = start([](void*) -> void* {
      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
      ++arrived;
      while (cleaned == 0) sched_yield();
      return &values;
    });
    while (arrived == 0) sched_yield();
    w.note(0, pthread_cancel(other));
    ++cleaned;
    void* value = nullptr;
    pthread_join(other, &value);
    w.note(1, value == &values);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("a thread cancels itself at its next cancellation point") {
  check_cancelled(both<world>({[](world& w) {
    cancel_and_note(w, start([](void*) -> void* {
                      const guard one;
                      pthread_cancel(pthread_self());
                      ++arrived;
                      usleep(10);
                      ++went_on;
                      return nullptr;
                    }));
  }}));
}

#include <pthread.h>

#include <ctime>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct door : notes {
  pthread_mutex_t m;
  pthread_cond_t c;
  bool open = false;
  door() {
    pthread_mutexattr_t ma;
    pthread_mutexattr_init(&ma);
    pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&m, &ma);
    pthread_condattr_t ca;
    pthread_condattr_init(&ca);
    pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&c, &ca);
  }
  void wait_open(std::size_t slot) {
    pthread_mutex_lock(&m);
    long result = 0;
    while (!open && result == 0) result = pthread_cond_wait(&c, &m);
    note(slot, result);
    pthread_mutex_unlock(&m);
  }
  void set_open() {
    pthread_mutex_lock(&m);
    open = true;
    pthread_mutex_unlock(&m);
  }
};

}  // namespace

TEST_CASE("a signal lets the one waiter of a condition go on") {
  const auto seen = both<door>({[](door& w) { w.wait_open(0); },
                                [](door& w) {
                                  w.set_open();
                                  w.note(1, pthread_cond_signal(&w.c));
                                }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("a broadcast lets all waiters of a condition go on") {
  const auto seen = both<door>({[](door& w) { w.wait_open(0); }, [](door& w) { w.wait_open(1); },
                                [](door& w) {
                                  w.set_open();
                                  w.note(2, pthread_cond_broadcast(&w.c));
                                }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("a timed wait that nobody signals ends with ETIMEDOUT and holds the mutex") {
  const auto seen = both<door>({[](door& w) {
    const timespec past{.tv_sec = 1, .tv_nsec = 0};
    pthread_mutex_lock(&w.m);
    w.note(0, pthread_cond_timedwait(&w.c, &w.m, &past));
    w.note(1, pthread_mutex_trylock(&w.m));
    w.note(2, pthread_mutex_unlock(&w.m));
  }});
  CHECK(seen[0] == ETIMEDOUT);
  CHECK(seen[1] == EBUSY);
}

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

template <int Type, int Robustness = PTHREAD_MUTEX_STALLED>
struct locked_by : notes {
  pthread_mutex_t m;
  locked_by() {
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_settype(&a, Type);
    pthread_mutexattr_setrobust(&a, Robustness);
    pthread_mutex_init(&m, &a);
    pthread_mutexattr_destroy(&a);
  }
};

using normal = locked_by<PTHREAD_MUTEX_NORMAL>;
using recursive = locked_by<PTHREAD_MUTEX_RECURSIVE>;
using checking = locked_by<PTHREAD_MUTEX_ERRORCHECK>;
using robust = locked_by<PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST>;

}  // namespace

TEST_CASE(
    "a locked normal mutex is busy, and a timed lock of it ends with its time or its mistake") {
  const auto seen = both<normal>({[](normal& w) {
    const timespec past{.tv_sec = 1, .tv_nsec = 0};
    const timespec bad{.tv_sec = 1, .tv_nsec = -1};
    w.note(0, pthread_mutex_timedlock(&w.m, &bad));
    w.note(1, pthread_mutex_trylock(&w.m));
    w.note(2, pthread_mutex_timedlock(&w.m, &past));
    w.note(3, pthread_mutex_timedlock(&w.m, &bad));
    w.note(4, pthread_mutex_unlock(&w.m));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EBUSY);
  CHECK(seen[2] == ETIMEDOUT);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == 0);
}

TEST_CASE("a recursive mutex is free after as many unlocks as locks") {
  const auto seen = both<recursive>({[](recursive& w) {
    w.note(0, pthread_mutex_lock(&w.m));
    w.note(1, pthread_mutex_lock(&w.m));
    w.note(2, pthread_mutex_unlock(&w.m));
    w.note(3, pthread_mutex_unlock(&w.m));
    w.note(4, pthread_mutex_unlock(&w.m));
  }});
  CHECK(seen[1] == 0);
  CHECK(seen[4] == EPERM);
}

TEST_CASE("an error-checking mutex says EDEADLK to its owner and EPERM to others") {
  const auto seen = both<checking>({[](checking& w) {
    w.note(0, pthread_mutex_unlock(&w.m));
    w.note(1, pthread_mutex_lock(&w.m));
    w.note(2, pthread_mutex_lock(&w.m));
  }});
  CHECK(seen[0] == EPERM);
  CHECK(seen[2] == EDEADLK);
}

TEST_CASE("a robust mutex tells that its owner died, and is lost unless made consistent") {
  const auto seen = both<robust>({[](robust& w) {
    for (int round = 0; round < 2; ++round) {
      if (fork() == 0) {
        pthread_mutex_lock(&w.m);
        _exit(0);
      }
      wait(nullptr);
      const auto slot = static_cast<std::size_t>(3 * round);
      w.note(slot, pthread_mutex_lock(&w.m));
      if (round == 0) w.note(slot + 1, pthread_mutex_consistent(&w.m));
      w.note(slot + 2, pthread_mutex_unlock(&w.m));
    }
    w.note(6, pthread_mutex_lock(&w.m));
  }});
  CHECK(seen[0] == EOWNERDEAD);
  CHECK(seen[1] == 0);
  CHECK(seen[3] == EOWNERDEAD);
  CHECK(seen[6] == ENOTRECOVERABLE);
}

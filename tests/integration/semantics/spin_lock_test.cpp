#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct spinning : notes {
  pthread_spinlock_t lock;
  sem_t locked;
  sem_t had;
  std::atomic<int> inside{0};
  spinning() {
    pthread_spin_init(&lock, PTHREAD_PROCESS_SHARED);
    sem_init(&locked, 1, 0);
    sem_init(&had, 1, 0);
  }

  // How often others were inside, too.
  void visit(std::size_t slot) {
    long met = 0;
    for (int i = 0; i < 5; ++i) {
      pthread_spin_lock(&lock);
      if (++inside != 1) ++met;
      sched_yield();
      --inside;
      pthread_spin_unlock(&lock);
    }
    note(slot, met);
  }
};

}  // namespace

TEST_CASE("only one task at a time has a spin lock") {
  const auto seen =
      both<spinning>({[](spinning& w) { w.visit(0); }, [](spinning& w) { w.visit(1); },
                      [](spinning& w) { w.visit(2); }});
  for (const std::size_t slot : {0U, 1U, 2U}) CHECK(seen[slot] == 0);
}

TEST_CASE("a spin lock that is held is busy, also for whoever holds it") {
  const auto seen = both<spinning>({[](spinning& w) {
    w.note(0, pthread_spin_lock(&w.lock));
    w.note(1, pthread_spin_trylock(&w.lock));
    w.note(2, pthread_spin_unlock(&w.lock));
    w.note(3, pthread_spin_trylock(&w.lock));
    w.note(4, pthread_spin_trylock(&w.lock));
    w.note(5, pthread_spin_unlock(&w.lock));
    w.note(6, pthread_spin_destroy(&w.lock));
  }});
  CHECK(seen[1] == EBUSY);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == EBUSY);
  CHECK(seen[6] == 0);
}

TEST_CASE("a task that waits for a spin lock may wait long") {
  const auto seen = both<spinning>({[](spinning& w) {
                                      pthread_spin_lock(&w.lock);
                                      sem_post(&w.locked);
                                      usleep(50'000);
                                      w.inside = 7;
                                      pthread_spin_unlock(&w.lock);
                                      sem_wait(&w.had);
                                    },
                                    [](spinning& w) {
                                      sem_wait(&w.locked);
                                      w.note(0, pthread_spin_lock(&w.lock));
                                      w.note(1, w.inside);
                                      sem_post(&w.had);
                                    }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 7);
}

TEST_CASE("a spin lock whose holder died stays locked until it is made anew") {
  const auto seen = both<spinning>({[](spinning& w) {
    if (fork() == 0) {
      pthread_spin_lock(&w.lock);
      _exit(0);
    }
    wait(nullptr);
    w.note(0, pthread_spin_trylock(&w.lock));
    w.note(1, pthread_spin_init(&w.lock, PTHREAD_PROCESS_SHARED));
    w.note(2, pthread_spin_lock(&w.lock));
  }});
  CHECK(seen[0] == EBUSY);
  CHECK(seen[2] == 0);
}

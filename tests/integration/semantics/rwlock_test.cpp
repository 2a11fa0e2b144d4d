#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::appointment;
using forkloom::semantics::both;
using forkloom::semantics::notes;

template <int Kind>
struct of_kind : notes, appointment {
  pthread_rwlock_t lock;
  sem_t read_locked;
  sem_t done;
  int written = 0;

  of_kind() {
    pthread_rwlockattr_t a;
    pthread_rwlockattr_init(&a);
    pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_rwlockattr_setkind_np(&a, Kind);
    pthread_rwlock_init(&lock, &a);
    pthread_rwlockattr_destroy(&a);
    sem_init(&read_locked, 1, 0);
    sem_init(&done, 1, 0);
  }
};

using readers_first = of_kind<PTHREAD_RWLOCK_PREFER_READER_NP>;
using writers_first = of_kind<PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP>;

constexpr timespec past{.tv_sec = 1, .tv_nsec = 0};
constexpr timespec bad{.tv_sec = 1, .tv_nsec = 1'000'000'000};

timespec soon(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  now.tv_nsec += 20'000'000;
  if (now.tv_nsec >= 1'000'000'000) ++now.tv_sec, now.tv_nsec -= 1'000'000'000;
  return now;
}

// Has the time come, and not years ago, as by a wrong clock?
bool has_come(clockid_t clock, const timespec& when) {
  constexpr time_t year = 365 * 24 * 3600;
  timespec now{};
  clock_gettime(clock, &now);
  if (now.tv_sec == when.tv_sec) return now.tv_nsec >= when.tv_nsec;
  return now.tv_sec > when.tv_sec && now.tv_sec < when.tv_sec + year;
}

// Runs what another process does, from its beginning to its end.
template <class Body>
void in_child(Body body) {
  if (fork() == 0) {
    body();
    _exit(0);
  }
  wait(nullptr);
}

// The reader that comes first, and goes when a writer waits.
template <class World>
void read_until_writer_waits(World& w) {
  pthread_rwlock_rdlock(&w.lock);
  sem_post(&w.read_locked);
  w.await_waiter();
}

template <class World>
void wait_to_write(World& w) {
  sem_wait(&w.read_locked);
  w.next_call_waits();
  w.note(0, pthread_rwlock_wrlock(&w.lock));
  w.written = 1;
  pthread_rwlock_unlock(&w.lock);
}

}  // namespace

TEST_CASE("several may read at once, and nobody writes meanwhile") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    w.note(0, pthread_rwlock_rdlock(&w.lock));
    w.note(1, pthread_rwlock_rdlock(&w.lock));
    in_child([&] {
      w.note(2, pthread_rwlock_tryrdlock(&w.lock));
      w.note(3, pthread_rwlock_unlock(&w.lock));
      w.note(4, pthread_rwlock_trywrlock(&w.lock));
    });
    w.note(5, pthread_rwlock_unlock(&w.lock));
    w.note(6, pthread_rwlock_trywrlock(&w.lock));
    w.note(7, pthread_rwlock_unlock(&w.lock));
    w.note(8, pthread_rwlock_trywrlock(&w.lock));
  }});
  CHECK(seen[2] == 0);
  CHECK(seen[4] == EBUSY);
  CHECK(seen[6] == EBUSY);
  CHECK(seen[8] == 0);
}

TEST_CASE("a writer keeps out readers and writers") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    w.note(0, pthread_rwlock_wrlock(&w.lock));
    in_child([&] {
      w.note(1, pthread_rwlock_tryrdlock(&w.lock));
      w.note(2, pthread_rwlock_trywrlock(&w.lock));
    });
    w.note(3, pthread_rwlock_unlock(&w.lock));
    in_child([&] { w.note(4, pthread_rwlock_wrlock(&w.lock)); });
  }});
  CHECK(seen[1] == EBUSY);
  CHECK(seen[2] == EBUSY);
  CHECK(seen[4] == 0);
}

TEST_CASE("a writer that locks again is told that this would be a deadlock") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    pthread_rwlock_wrlock(&w.lock);
    w.note(0, pthread_rwlock_wrlock(&w.lock));
    w.note(1, pthread_rwlock_rdlock(&w.lock));
    w.note(2, pthread_rwlock_timedwrlock(&w.lock, &past));
    w.note(3, pthread_rwlock_clockrdlock(&w.lock, CLOCK_MONOTONIC, &past));
    w.note(4, pthread_rwlock_tryrdlock(&w.lock));
    w.note(5, pthread_rwlock_trywrlock(&w.lock));
  }});
  for (const std::size_t slot : {0U, 1U, 2U, 3U}) CHECK(seen[slot] == EDEADLK);
  CHECK(seen[4] == EBUSY);
  CHECK(seen[5] == EBUSY);
}

TEST_CASE("one who wrote and now reads a lock made anew is not told of a deadlock") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    pthread_rwlock_wrlock(&w.lock);
    w.lock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_rwlock_rdlock(&w.lock);
    w.note(0, pthread_rwlock_timedwrlock(&w.lock, &past));
  }});
  CHECK(seen[0] == ETIMEDOUT);
}

TEST_CASE("a timed lock that cannot be had ends when its time has come, by whichever clock") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    pthread_rwlock_wrlock(&w.lock);
    in_child([&] {
      const auto real = soon(CLOCK_REALTIME);
      const auto steady = soon(CLOCK_MONOTONIC);
      w.note(0, pthread_rwlock_timedrdlock(&w.lock, &real));
      w.note(1, has_come(CLOCK_REALTIME, real));
      w.note(2, pthread_rwlock_clockwrlock(&w.lock, CLOCK_MONOTONIC, &steady));
      w.note(3, has_come(CLOCK_MONOTONIC, steady));
      w.note(4, pthread_rwlock_timedwrlock(&w.lock, &past));
      w.note(5, pthread_rwlock_clockrdlock(&w.lock, CLOCK_MONOTONIC, &past));
    });
  }});
  for (const std::size_t slot : {0U, 2U, 4U, 5U}) CHECK(seen[slot] == ETIMEDOUT);
  CHECK(seen[1] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("a timed lock that can be had is had, even after its time") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    w.note(0, pthread_rwlock_timedrdlock(&w.lock, &past));
    w.note(1, pthread_rwlock_clockrdlock(&w.lock, CLOCK_REALTIME, &past));
    pthread_rwlock_unlock(&w.lock);
    pthread_rwlock_unlock(&w.lock);
    w.note(2, pthread_rwlock_timedwrlock(&w.lock, &past));
    pthread_rwlock_unlock(&w.lock);
    w.note(3, pthread_rwlock_clockwrlock(&w.lock, CLOCK_MONOTONIC, &past));
  }});
  for (const std::size_t slot : {0U, 1U, 2U, 3U}) CHECK(seen[slot] == 0);
}

TEST_CASE("a time-out or clock that is not valid is refused, even where nobody would wait") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    w.note(0, pthread_rwlock_timedrdlock(&w.lock, &bad));
    w.note(1, pthread_rwlock_timedwrlock(&w.lock, &bad));
    w.note(2, pthread_rwlock_clockrdlock(&w.lock, CLOCK_PROCESS_CPUTIME_ID, &past));
    w.note(3, pthread_rwlock_clockwrlock(&w.lock, CLOCK_PROCESS_CPUTIME_ID, &past));
    pthread_rwlock_wrlock(&w.lock);
    w.note(4, pthread_rwlock_timedrdlock(&w.lock, &bad));
    w.note(5, pthread_rwlock_timedwrlock(&w.lock, &bad));
  }});
  for (const std::size_t slot : {0U, 1U, 2U, 3U, 4U, 5U}) CHECK(seen[slot] == EINVAL);
}

// The reader stays until the writer is in: its death would let that one try again, too.
TEST_CASE("a writer waits until the last reader has left") {
  const auto seen = both<readers_first>({[](readers_first& w) {
                                           pthread_rwlock_rdlock(&w.lock);
                                           read_until_writer_waits(w);
                                           pthread_rwlock_unlock(&w.lock);
                                           w.await_waiter();
                                           w.written = 7;
                                           pthread_rwlock_unlock(&w.lock);
                                           sem_wait(&w.done);
                                         },
                                         [](readers_first& w) {
                                           sem_wait(&w.read_locked);
                                           w.next_call_waits();
                                           w.note(0, pthread_rwlock_wrlock(&w.lock));
                                           w.note(1, w.written);
                                           sem_post(&w.done);
                                         }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 7);
}

TEST_CASE("readers and writers that wait go on when the writer has left") {
  const auto seen = both<readers_first>({[](readers_first& w) {
                                           pthread_rwlock_wrlock(&w.lock);
                                           for (int i = 0; i < 3; ++i) sem_post(&w.read_locked);
                                           w.await_waiter();
                                           pthread_rwlock_unlock(&w.lock);
                                         },
                                         [](readers_first& w) { wait_to_write(w); },
                                         [](readers_first& w) {
                                           sem_wait(&w.read_locked);
                                           w.note(1, pthread_rwlock_rdlock(&w.lock));
                                           pthread_rwlock_unlock(&w.lock);
                                         },
                                         [](readers_first& w) {
                                           sem_wait(&w.read_locked);
                                           w.note(2, pthread_rwlock_rdlock(&w.lock));
                                           pthread_rwlock_unlock(&w.lock);
                                         }});
  for (const std::size_t slot : {0U, 1U, 2U}) CHECK(seen[slot] == 0);
}

TEST_CASE("a waiting writer keeps no reader out of a lock that prefers readers") {
  const auto seen = both<readers_first>({[](readers_first& w) {
                                           read_until_writer_waits(w);
                                           w.note(1, pthread_rwlock_tryrdlock(&w.lock));
                                           w.note(2, pthread_rwlock_rdlock(&w.lock));
                                           w.note(3, w.written);
                                           for (int i = 0; i < 3; ++i)
                                             pthread_rwlock_unlock(&w.lock);
                                         },
                                         [](readers_first& w) { wait_to_write(w); }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("a waiting writer keeps readers out of a lock that prefers writers") {
  const auto seen = both<writers_first>({[](writers_first& w) {
                                           read_until_writer_waits(w);
                                           w.note(1, pthread_rwlock_tryrdlock(&w.lock));
                                           w.note(2, pthread_rwlock_timedrdlock(&w.lock, &past));
                                           sem_post(&w.done);
                                           pthread_rwlock_unlock(&w.lock);
                                         },
                                         [](writers_first& w) { wait_to_write(w); },
                                         [](writers_first& w) {
                                           sem_wait(&w.done);
                                           w.note(3, pthread_rwlock_rdlock(&w.lock));
                                           w.note(4, w.written);
                                         }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EBUSY);
  CHECK(seen[2] == ETIMEDOUT);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
}

TEST_CASE("a lock that prefers writers lets readers share it while no writer waits") {
  const auto seen = both<writers_first>({[](writers_first& w) {
    pthread_rwlock_wrlock(&w.lock);
    pthread_rwlock_unlock(&w.lock);
    w.note(0, pthread_rwlock_rdlock(&w.lock));
    w.note(1, pthread_rwlock_timedwrlock(&w.lock, &past));
    w.note(2, pthread_rwlock_tryrdlock(&w.lock));
    in_child([&] { w.note(3, pthread_rwlock_rdlock(&w.lock)); });
  }});
  CHECK(seen[1] == ETIMEDOUT);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

// Nobody ends before the reader is in: a death would let it try again, too.
TEST_CASE("a writer that gives up lets in the readers behind it") {
  const auto seen = both<writers_first>({[](writers_first& w) {
                                           pthread_rwlock_rdlock(&w.lock);
                                           sem_post(&w.read_locked);
                                           sem_post(&w.read_locked);
                                           sem_wait(&w.done);
                                         },
                                         [](writers_first& w) {
                                           sem_wait(&w.read_locked);
                                           const auto until = soon(CLOCK_REALTIME);
                                           w.note(0, pthread_rwlock_timedwrlock(&w.lock, &until));
                                           sem_wait(&w.done);
                                         },
                                         [](writers_first& w) {
                                           sem_wait(&w.read_locked);
                                           w.note(1, pthread_rwlock_rdlock(&w.lock));
                                           sem_post(&w.done);
                                           sem_post(&w.done);
                                         }});
  CHECK(seen[0] == ETIMEDOUT);
  CHECK(seen[1] == 0);
}

TEST_CASE("a lock whose holder died stays locked") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    in_child([&] { pthread_rwlock_wrlock(&w.lock); });
    w.note(0, pthread_rwlock_tryrdlock(&w.lock));
    w.note(1, pthread_rwlock_timedwrlock(&w.lock, &past));
    w.note(2, pthread_rwlock_timedrdlock(&w.lock, &past));
  }});
  CHECK(seen[0] == EBUSY);
  CHECK(seen[1] == ETIMEDOUT);
  CHECK(seen[2] == ETIMEDOUT);
}

TEST_CASE("a lock in private memory is another one in every process") {
  const auto seen = both<readers_first>({[](readers_first& w) {
    pthread_rwlock_t own = PTHREAD_RWLOCK_INITIALIZER;
    w.note(0, pthread_rwlock_rdlock(&own));
    in_child([&] {
      w.note(1, pthread_rwlock_unlock(&own));
      w.note(2, pthread_rwlock_wrlock(&own));
    });
    w.note(3, pthread_rwlock_trywrlock(&own));
    w.note(4, pthread_rwlock_unlock(&own));
    w.note(5, pthread_rwlock_destroy(&own));
    w.note(6, pthread_rwlock_init(&own, nullptr));
    w.note(7, pthread_rwlock_wrlock(&own));
  }});
  CHECK(seen[2] == 0);
  CHECK(seen[3] == EBUSY);
  for (const std::size_t slot : {4U, 5U, 6U, 7U}) CHECK(seen[slot] == 0);
}

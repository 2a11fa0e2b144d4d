#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;
using forkloom::semantics::unseen;

struct world : notes {};

struct arguments {
  world* notes = nullptr;
  long value = 0;
};

void* as_pointer(long value) { return reinterpret_cast<void*>(value); }
long as_number(void* value) { return reinterpret_cast<long>(value); }

void* twice(void* argument) { return as_pointer(2 * as_number(argument)); }

// Reads until the end of the data, so it lives until the pipe is closed.
void* wait_for_end_of_data(void* argument) {
  char byte = 0;
  while (read(static_cast<int>(as_number(argument)), &byte, 1) == 1) continue;
  return nullptr;
}

}  // namespace

TEST_CASE("a thread gets its argument, and who joins it gets what it returned") {
  const auto seen = both<world>({[](world& w) {
    pthread_t thread{};
    w.note(0, pthread_create(&thread, nullptr, twice, as_pointer(21)));
    void* value = nullptr;
    w.note(1, pthread_join(thread, &value));
    w.note(2, as_number(value));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 42);
}

TEST_CASE("threads of a process share its memory and its descriptors") {
  const auto seen = both<world>({[](world& w) {
    static long shared = 0;
    std::array<int, 2> ends{};
    w.note_error(0, pipe(ends.data()));
    pthread_t thread{};
    pthread_create(
        &thread, nullptr,
        [](void* fd) -> void* {
          shared = 5;
          return as_pointer(write(static_cast<int>(as_number(fd)), "x", 1));
        },
        as_pointer(ends[1]));
    w.note(1, forkloom::semantics::read_one(ends[0]));
    pthread_join(thread, nullptr);
    w.note(2, shared);
    close(ends[0]);
    close(ends[1]);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 5);
}

TEST_CASE("a thread is not its creator, and has its own errno") {
  const auto seen = both<world>({[](world& w) {
    pthread_t thread{};
    static pthread_t inside;
    errno = EDOM;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          inside = pthread_self();
          errno = ERANGE;
          return nullptr;
        },
        nullptr);
    pthread_join(thread, nullptr);
    w.note(0, errno);
    w.note(1, pthread_equal(inside, thread) != 0);
    w.note(2, pthread_equal(pthread_self(), thread) != 0);
  }});
  CHECK(seen[0] == EDOM);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
}

TEST_CASE("a thread that lives cannot be joined by trying") {
  const auto seen = both<world>({[](world& w) {
    std::array<int, 2> ends{};
    w.note_error(0, pipe(ends.data()));
    pthread_t thread{};
    pthread_create(&thread, nullptr, wait_for_end_of_data, as_pointer(ends[0]));
    w.note(1, pthread_tryjoin_np(thread, nullptr));
    timespec soon{};
    clock_gettime(CLOCK_REALTIME, &soon);
    w.note(2, pthread_timedjoin_np(thread, nullptr, &soon));
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec = 0;
    w.note(3, pthread_clockjoin_np(thread, nullptr, CLOCK_MONOTONIC, &soon));
    w.note(4, pthread_clockjoin_np(thread, nullptr, CLOCK_PROCESS_CPUTIME_ID, &soon));
    close(ends[1]);
    w.note(5, pthread_join(thread, nullptr));
    close(ends[0]);
  }});
  CHECK(seen[1] == EBUSY);
  CHECK(seen[2] == ETIMEDOUT);
  CHECK(seen[3] == ETIMEDOUT);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == 0);
}

TEST_CASE("a timed join of a thread that ends in time takes its value") {
  const auto seen = both<world>({[](world& w) {
    pthread_t thread{};
    pthread_create(&thread, nullptr, twice, as_pointer(4));
    timespec late{};
    clock_gettime(CLOCK_MONOTONIC, &late);
    late.tv_sec += 1000;
    void* value = nullptr;
    w.note(0, pthread_clockjoin_np(thread, &value, CLOCK_MONOTONIC, &late));
    w.note(1, as_number(value));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 8);
}

TEST_CASE("nobody can join itself, nor one that is detached") {
  const auto seen = both<world>({[](world& w) {
    w.note(0, pthread_join(unseen(pthread_self()), nullptr));
    std::array<int, 2> ends{};
    w.note_error(1, pipe(ends.data()));
    pthread_t thread{};
    pthread_create(&thread, nullptr, wait_for_end_of_data, as_pointer(ends[0]));
    w.note(2, pthread_detach(thread));
    w.note(3, pthread_join(thread, nullptr));
    w.note(4, pthread_detach(thread));
    close(ends[1]);
  }});
  CHECK(seen[0] == EDEADLK);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == EINVAL);
}

TEST_CASE("a thread made detached runs, and cannot be joined") {
  const auto seen = both<world>({[](world& w) {
    std::array<int, 2> ends{};
    std::array<int, 2> go_on{};
    w.note_error(0, pipe(ends.data()));
    w.note_error(1, pipe(go_on.data()));
    static int out;
    out = ends[1];
    pthread_attr_t attributes{};
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread{};
    w.note(2, pthread_create(
                  &thread, &attributes,
                  [](void* in) -> void* {
                    wait_for_end_of_data(in);
                    write(out, "y", 1);
                    return nullptr;
                  },
                  as_pointer(go_on[0])));
    pthread_attr_destroy(&attributes);
    w.note(3, pthread_join(thread, nullptr));
    close(go_on[1]);
    w.note(4, forkloom::semantics::read_one(ends[0]));
  }});
  CHECK(seen[2] == 0);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == 'y');
}

TEST_CASE("bad attributes make no thread") {
  const auto seen = both<world>({[](world& w) {
    pthread_attr_t attributes{};
    pthread_attr_init(&attributes);
    w.note(0, pthread_attr_setstacksize(&attributes, unseen(std::size_t{1})));
    pthread_attr_setstacksize(&attributes, std::size_t{1} << 46);
    pthread_t thread{};
    w.note(1, pthread_create(&thread, &attributes, twice, nullptr));
    pthread_attr_destroy(&attributes);
    // The failure leaves no trace: the next one is made as ever.
    w.note(2, pthread_create(&thread, nullptr, twice, nullptr));
    w.note(3, pthread_join(thread, nullptr));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("a mutex between threads is owned by one of them") {
  const auto seen = both<world>({[](world& w) {
    static pthread_mutex_t mutex;
    pthread_mutexattr_t attributes{};
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attributes);
    w.note(0, pthread_mutex_lock(&mutex));
    w.note(1, pthread_mutex_lock(&mutex));
    pthread_t thread{};
    pthread_create(
        &thread, nullptr,
        [](void* notes) -> void* {
          auto& inside = *static_cast<world*>(notes);
          inside.note(2, pthread_mutex_trylock(&mutex));
          inside.note(3, pthread_mutex_unlock(&mutex));
          inside.note(4, pthread_mutex_lock(&mutex));
          inside.note(5, pthread_mutex_unlock(&mutex));
          return nullptr;
        },
        &w);
    while (w.seen[3] == notes::nothing) sched_yield();
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, nullptr);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EDEADLK);
  CHECK(seen[2] == EBUSY);
  CHECK(seen[3] == EPERM);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
}

TEST_CASE("threads of one process wait for each other at a condition") {
  const auto seen = both<world>({[](world& w) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    static int turns;
    turns = 0;
    const auto play = [](void* side) -> void* {
      for (int i = 0; i < 3; ++i) {
        pthread_mutex_lock(&mutex);
        while (turns % 2 != as_number(side)) pthread_cond_wait(&condition, &mutex);
        ++turns;
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&mutex);
      }
      return nullptr;
    };
    pthread_t thread{};
    pthread_create(&thread, nullptr, play, as_pointer(1));
    play(as_pointer(0));
    pthread_join(thread, nullptr);
    w.note(0, turns);
  }});
  CHECK(seen[0] == 6);
}

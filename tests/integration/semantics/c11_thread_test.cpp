#include <threads.h>

#include <array>
#include <atomic>
#include <ctime>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct world : notes {};

timespec far_away() {
  timespec when{};
  timespec_get(&when, TIME_UTC);
  when.tv_sec += 1000;
  return when;
}

}  // namespace

TEST_CASE("a C11 thread hands an int to who joins it, by return and by thrd_exit") {
  const auto seen = both<world>({[](world& w) {
    thrd_t thread{};
    int result = 0;
    w.note(0, thrd_create(
                  &thread, [](void* argument) { return *static_cast<int*>(argument); },
                  [] {
                    static int value = 17;
                    return &value;
                  }()));
    w.note(1, thrd_join(thread, &result));
    w.note(2, result);
    thrd_create(
        &thread, [](void*) -> int { thrd_exit(-3); }, nullptr);
    w.note(3, thrd_join(thread, &result));
    w.note(4, result);
    w.note(5, thrd_equal(thrd_current(), thrd_current()) != 0);
  }});
  CHECK(seen[0] == thrd_success);
  CHECK(seen[1] == thrd_success);
  CHECK(seen[2] == 17);
  CHECK(seen[3] == thrd_success);
  CHECK(seen[4] == -3);
  CHECK(seen[5] == 1);
}

TEST_CASE("a C11 mutex is busy while another thread has it") {
  const auto seen = both<world>({[](world& w) {
    static mtx_t mutex;
    static world* inside;
    inside = &w;
    w.note(0, mtx_init(&mutex, mtx_timed));
    w.note(1, mtx_lock(&mutex));
    thrd_t thread{};
    thrd_create(
        &thread,
        [](void*) {
          inside->note(2, mtx_trylock(&mutex));
          timespec now{};
          timespec_get(&now, TIME_UTC);
          inside->note(3, mtx_timedlock(&mutex, &now));
          now.tv_nsec = -1;
          inside->note(4, mtx_timedlock(&mutex, &now));
          return 0;
        },
        nullptr);
    thrd_join(thread, nullptr);
    w.note(5, mtx_unlock(&mutex));
    w.note(6, mtx_trylock(&mutex));
    mtx_unlock(&mutex);
    mtx_destroy(&mutex);
  }});
  CHECK(seen[0] == thrd_success);
  CHECK(seen[1] == thrd_success);
  CHECK(seen[2] == thrd_busy);
  CHECK(seen[3] == thrd_timedout);
  CHECK(seen[4] == thrd_error);
  CHECK(seen[5] == thrd_success);
  CHECK(seen[6] == thrd_success);
}

TEST_CASE("a recursive C11 mutex is given up with its last unlock") {
  const auto seen = both<world>({[](world& w) {
    static mtx_t mutex;
    static std::atomic<int> state;
    state = 0;
    mtx_init(&mutex, mtx_plain | mtx_recursive);
    mtx_lock(&mutex);
    w.note(0, mtx_lock(&mutex));
    thrd_t thread{};
    thrd_create(
        &thread,
        [](void*) {
          mtx_lock(&mutex);
          const int found = state;
          mtx_unlock(&mutex);
          return found;
        },
        nullptr);
    mtx_unlock(&mutex);
    thrd_yield();
    state = 2;
    mtx_unlock(&mutex);
    int found = 0;
    thrd_join(thread, &found);
    w.note(1, found);
  }});
  CHECK(seen[0] == thrd_success);
  CHECK(seen[1] == 2);
}

TEST_CASE("C11 threads wait for each other at a condition") {
  const auto seen = both<world>({[](world& w) {
    static mtx_t mutex;
    static cnd_t condition;
    static int went;
    went = 0;
    mtx_init(&mutex, mtx_plain);
    w.note(0, cnd_init(&condition));
    std::array<thrd_t, 3> threads{};
    for (auto& thread : threads)
      thrd_create(
          &thread,
          [](void*) {
            mtx_lock(&mutex);
            while (went == 0) cnd_wait(&condition, &mutex);
            ++went;
            mtx_unlock(&mutex);
            return 0;
          },
          nullptr);
    mtx_lock(&mutex);
    went = 1;
    w.note(1, cnd_broadcast(&condition));
    w.note(2, cnd_signal(&condition));
    mtx_unlock(&mutex);
    for (const auto thread : threads) thrd_join(thread, nullptr);
    w.note(3, went);
    cnd_destroy(&condition);
    mtx_destroy(&mutex);
  }});
  CHECK(seen[0] == thrd_success);
  CHECK(seen[1] == thrd_success);
  CHECK(seen[2] == thrd_success);
  CHECK(seen[3] == 4);
}

TEST_CASE("a C11 wait ends at its time, and locks again") {
  const auto seen = both<world>({[](world& w) {
    mtx_t mutex{};
    cnd_t condition{};
    mtx_init(&mutex, mtx_plain);
    cnd_init(&condition);
    mtx_lock(&mutex);
    timespec now{};
    timespec_get(&now, TIME_UTC);
    w.note(0, cnd_timedwait(&condition, &mutex, &now));
    w.note(1, mtx_unlock(&mutex));
    const auto late = far_away();
    w.note(2, mtx_timedlock(&mutex, &late));
    mtx_unlock(&mutex);
    cnd_destroy(&condition);
    mtx_destroy(&mutex);
  }});
  CHECK(seen[0] == thrd_timedout);
  CHECK(seen[1] == thrd_success);
  CHECK(seen[2] == thrd_success);
}

TEST_CASE("call_once runs its routine once for all C11 threads") {
  const auto seen = both<world>({[](world& w) {
    static once_flag flag = ONCE_FLAG_INIT;
    static std::atomic<int> runs;
    static std::atomic<int> ended;
    const auto use = [](void*) {
      call_once(&flag, [] {
        ++runs;
        thrd_yield();
        ++ended;
      });
      return ended.load();
    };
    std::array<thrd_t, 3> threads{};
    for (auto& thread : threads) thrd_create(&thread, use, nullptr);
    int sum = 0;
    for (const auto thread : threads) {
      int saw = 0;
      thrd_join(thread, &saw);
      sum += saw;
    }
    w.note(0, runs);
    w.note(1, sum);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 3);
}

TEST_CASE("C11 thread-specific values are destroyed at the end of their thread") {
  const auto seen = both<world>({[](world& w) {
    static tss_t key;
    static std::atomic<long> destroyed;
    w.note(0, tss_create(&key, [](void* value) { destroyed += *static_cast<int*>(value); }));
    thrd_t thread{};
    thrd_create(
        &thread,
        [](void*) {
          static int value = 9;
          const bool empty = tss_get(key) == nullptr;
          tss_set(key, &value);
          return empty && tss_get(key) == &value ? 1 : 0;
        },
        nullptr);
    int fine = 0;
    thrd_join(thread, &fine);
    w.note(1, fine);
    w.note(2, destroyed);
    tss_delete(key);
  }});
  CHECK(seen[0] == thrd_success);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 9);
}

TEST_CASE("a C11 sleep ends, and refuses what is no time") {
  const auto seen = both<world>({[](world& w) {
    timespec time{0, 1000};
    w.note(0, thrd_sleep(&time, nullptr));
    time.tv_nsec = 1'000'000'000;
    w.note(1, thrd_sleep(&time, nullptr));
    thrd_t thread{};
    thrd_create(
        &thread, [](void*) { return 0; }, nullptr);
    w.note(2, thrd_detach(thread));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] < -1);
  CHECK(seen[2] == thrd_success);
}

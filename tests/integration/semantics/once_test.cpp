#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct world : notes {};

std::atomic<int> runs;
std::atomic<int> ready;

// Long enough for all others to come by.
void initialise_slowly() {
  ++runs;
  for (int i = 0; i < 5; ++i) sched_yield();
  ++ready;
}

}  // namespace

TEST_CASE("a once routine runs once, and who comes meanwhile waits for its end") {
  const auto seen = both<world>({[](world& w) {
    static pthread_once_t flag = PTHREAD_ONCE_INIT;
    static std::atomic<int> too_early;
    const auto use = [](void*) -> void* {
      pthread_once(&flag, initialise_slowly);
      if (ready != 1) ++too_early;
      return nullptr;
    };
    std::array<pthread_t, 3> threads{};
    for (auto& thread : threads) pthread_create(&thread, nullptr, use, nullptr);
    for (const auto thread : threads) pthread_join(thread, nullptr);
    w.note(0, runs);
    w.note(1, too_early);
    w.note(2, pthread_once(&flag, initialise_slowly));
    w.note(3, runs);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("a thread that ends in the once routine leaves it to the next one") {
  const auto seen = both<world>({[](world& w) {
    static pthread_once_t flag = PTHREAD_ONCE_INIT;
    const auto fails_at_first = [] {
      if (++runs == 1) pthread_exit(nullptr);
      ++ready;
    };
    static void (*routine)();
    routine = fails_at_first;
    const auto use = [](void*) -> void* {
      pthread_once(&flag, routine);
      return &runs;
    };
    std::array<pthread_t, 3> threads{};
    int came_through = 0;
    for (auto& thread : threads) pthread_create(&thread, nullptr, use, nullptr);
    for (const auto thread : threads) {
      void* value = nullptr;
      pthread_join(thread, &value);
      came_through += value != nullptr ? 1 : 0;
    }
    w.note(0, runs);
    w.note(1, ready);
    w.note(2, came_through);
  }});
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 2);
}

TEST_CASE("std::call_once runs again after an exception, and then no more") {
  const auto seen = both<world>({[](world& w) {
    static std::once_flag flag;
    static std::atomic<int> caught;
    const auto use = [] {
      try {
        std::call_once(flag, [] {
          if (++runs <= 2) throw std::runtime_error("not yet");
          initialise_slowly();
        });
      } catch (const std::runtime_error&) {
        ++caught;
      }
    };
    std::array<std::thread, 4> threads;
    for (auto& thread : threads) thread = std::thread(use);
    for (auto& thread : threads) thread.join();
    w.note(0, ready);
    w.note(1, caught);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 2);
}

TEST_CASE("a child forked in the middle of a once routine begins it anew") {
  const auto seen = both<world>({[](world& w) {
    static pthread_once_t flag = PTHREAD_ONCE_INIT;
    static pid_t child;
    pthread_t thread{};
    const auto use = [](void*) -> void* {
      pthread_once(&flag, [] {
        ++runs;
        while (child == 0) sched_yield();
      });
      return nullptr;
    };
    pthread_create(&thread, nullptr, use, nullptr);
    while (runs == 0) sched_yield();
    const auto forked = fork();
    if (forked == 0) {
      child = 1;
      pthread_once(&flag, [] { ++runs; });
      _exit(runs);
    }
    child = forked;
    pthread_join(thread, nullptr);
    int status = 0;
    waitpid(forked, &status, 0);
    w.note(0, WEXITSTATUS(status));
    w.note(1, runs);
  }});
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 1);
}

TEST_CASE("a static object of a function is made once") {
  struct slow {
    slow() { initialise_slowly(); }
  };
  const auto seen = both<world>({[](world& w) {
    const auto use = [](void*) -> void* {
      static const slow made;
      return nullptr;
    };
    std::array<pthread_t, 3> threads{};
    for (auto& thread : threads) pthread_create(&thread, nullptr, use, nullptr);
    for (const auto thread : threads) pthread_join(thread, nullptr);
    w.note(0, runs);
    w.note(1, ready);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
}

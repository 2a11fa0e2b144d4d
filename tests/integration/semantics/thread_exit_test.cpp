#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>

#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::deaths;
using forkloom::semantics::notes;
using forkloom::semantics::piped;

struct world : notes {};

void* as_pointer(long value) { return reinterpret_cast<void*>(value); }
long as_number(void* value) { return reinterpret_cast<long>(value); }

void* wait_for_ever(void*) {
  sem_t nobody_posts;
  sem_init(&nobody_posts, 0, 0);
  for (;;) sem_wait(&nobody_posts);
}

void* sleep_for_ever(void*) {
  for (;;) sleep(1000);
}

pthread_t start(void* (*routine)(void*), void* argument = nullptr) {
  pthread_t thread{};
  pthread_create(&thread, nullptr, routine, argument);
  return thread;
}

// The status of a child that runs this.
int status_of_child(void (*body)()) {
  const auto child = fork();
  if (child == 0) {
    body();
    _exit(99);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

struct locker {
  static inline pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static inline std::atomic<int> destroyed = 0;
  locker() = default;
  locker(const locker&) = delete;
  locker& operator=(const locker&) = delete;
  // Needs what the main thread has.
  ~locker() {
    pthread_mutex_lock(&mutex);
    ++destroyed;
    pthread_mutex_unlock(&mutex);
  }
  void touch() const {}
};

}  // namespace

TEST_CASE("thread-local objects are destroyed at the end of their thread, under control") {
  const auto seen = both<world>({[](world& w) {
    pthread_mutex_lock(&locker::mutex);
    const auto thread = start([](void*) -> void* {
      static thread_local locker mine;
      mine.touch();
      return nullptr;
    });
    w.note(0, pthread_tryjoin_np(thread, nullptr));
    pthread_mutex_unlock(&locker::mutex);
    w.note(1, pthread_join(thread, nullptr));
    w.note(2, locker::destroyed);
  }});
  CHECK(seen[0] == EBUSY);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

TEST_CASE("the destructor of a key runs at the end of a thread, again if it sets the value again") {
  const auto seen = both<world>({[](world& w) {
    static pthread_key_t key;
    static std::atomic<long> rounds;
    w.note(0, pthread_key_create(&key, [](void* left) {
             ++rounds;
             sched_yield();
             pthread_setspecific(key, as_pointer(as_number(left) - 1));
           }));
    const auto thread = start([](void*) -> void* {
      pthread_setspecific(key, as_pointer(3));
      return nullptr;
    });
    w.note(1, pthread_join(thread, nullptr));
    w.note(2, rounds);
    pthread_key_delete(key);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 3);
}

TEST_CASE("pthread_exit ends a thread from within, with its value and its destructors") {
  const auto seen = both<world>({[](world& w) {
    static std::atomic<int> unwound;
    struct guard {
      ~guard() { ++unwound; }
    };
    const auto thread = start([](void*) -> void* {
      const guard one;
      pthread_exit(as_pointer(5));
    });
    void* value = nullptr;
    w.note(0, pthread_join(thread, &value));
    w.note(1, as_number(value));
    w.note(2, unwound);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 5);
  CHECK(seen[2] == 1);
}

TEST_CASE("the end of a main thread's body ends all threads of the process") {
  const auto seen = both<piped>({[](piped& w) {
                                   w.read_only();
                                   w.note(0, forkloom::semantics::read_one(w.in));
                                 },
                                 [](piped& w) {
                                   w.write_only();
                                   start(wait_for_ever);
                                   start(sleep_for_ever);
                                 }});
  CHECK(seen[0] == 0);
}

TEST_CASE("exit in a thread ends the process with its code") {
  const auto seen = both<world>({[](world& w) {
    w.note(0, status_of_child([] {
             start([](void*) -> void* { _exit(4); });
             wait_for_ever(nullptr);
           }));
  }});
  CHECK(seen[0] == 4 << 8);
}

TEST_CASE("a signal that ends a thread ends its process") {
  const auto seen = both<world>({[](world& w) {
                                  w.note(0, status_of_child([] {
                                           signal(SIGABRT, SIG_DFL);
                                           start([](void*) -> void* { abort(); });
                                           wait_for_ever(nullptr);
                                         }));
                                }},
                                deaths::wanted);
  CHECK(WTERMSIG(seen[0]) == SIGABRT);
}

TEST_CASE("SIGKILL ends all threads of a process") {
  const auto seen = both<piped>({[](piped& w) {
    const auto child = fork();
    if (child == 0) {
      w.write_only();
      start(sleep_for_ever);
      start(wait_for_ever);
      sleep_for_ever(nullptr);
    }
    w.read_only();
    w.note_error(0, kill(child, SIGKILL));
    w.note(1, forkloom::semantics::read_one(w.in));
    int status = 0;
    w.note(2, waitpid(child, &status, 0) == child);
    w.note(3, WTERMSIG(status));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == SIGKILL);
}

TEST_CASE("a robust mutex passes on when its owner ends as a thread") {
  const auto seen = both<world>({[](world& w) {
    static pthread_mutex_t mutex;
    pthread_mutexattr_t attributes{};
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attributes);
    const auto first = start([](void*) -> void* {
      pthread_mutex_lock(&mutex);
      return nullptr;
    });
    const auto second = start([](void*) -> void* {
      int result = 0;
      while ((result = pthread_mutex_lock(&mutex)) == 0) {
        pthread_mutex_unlock(&mutex);
        sched_yield();
      }
      pthread_mutex_consistent(&mutex);
      pthread_mutex_unlock(&mutex);
      return as_pointer(result);
    });
    pthread_join(first, nullptr);
    void* result = nullptr;
    pthread_join(second, &result);
    w.note(0, as_number(result));
    w.note(1, pthread_mutex_lock(&mutex));
  }});
  CHECK(seen[0] == EOWNERDEAD);
  CHECK(seen[1] == 0);
}

TEST_CASE("a child forked by a thread has that thread alone, and ends with it") {
  const auto seen = both<world>({[](world& w) {
    start(sleep_for_ever);
    const auto thread = start([](void*) -> void* {
      const auto child = fork();
      if (child == 0) return nullptr;  // its last thread: the process ends as with exit(0)
      return as_pointer(child);
    });
    void* child = nullptr;
    pthread_join(thread, &child);
    // Any thread of the parent may wait for it.
    int status = -1;
    w.note(0, waitpid(static_cast<pid_t>(as_number(child)), &status, 0) == as_number(child));
    w.note(1, status);
    w.note_error(2, wait(&status));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == ECHILD);
}

TEST_CASE("a main thread that leaves with pthread_exit does not end its process") {
  const auto seen = both<world>({[](world& w) {
    static world* inside;
    inside = &w;
    // The child's main thread is one that a thread forked: only plain frames lie below it.
    const auto thread = start([](void*) -> void* {
      const auto child = fork();
      if (child != 0) return as_pointer(child);
      static pthread_t main_thread;
      main_thread = pthread_self();
      start([](void*) -> void* {
        void* value = nullptr;
        inside->note(0, pthread_join(main_thread, &value));
        inside->note(1, as_number(value));
        return nullptr;
      });
      pthread_exit(as_pointer(6));
    });
    void* child = nullptr;
    pthread_join(thread, &child);
    int status = -1;
    waitpid(static_cast<pid_t>(as_number(child)), &status, 0);
    w.note(2, status);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 6);
  CHECK(seen[2] == 0);
}

TEST_CASE("a thread that executes a program ends all others, and becomes the process") {
  const auto seen = both<world>({[](world& w) {
    w.note(0, status_of_child([] {
             start(sleep_for_ever);
             start([](void*) -> void* {
               execl("/bin/sh", "sh", "-c", "exit 5", nullptr);
               return nullptr;
             });
             wait_for_ever(nullptr);
           }));
  }});
  CHECK(seen[0] == 5 << 8);
}

// Only under control: natively the frames of the test itself would be unwound. Not with ASan, under
// which the process is aborted on the way.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("a body that leaves with pthread_exit leaves its threads to themselves") {
  forkloom::scenario_info info{.name = "pthread_exit",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body =
                                   [](forkloom::scenario& scenario) {
                                     auto& unwound = scenario.make<std::atomic<int>>("unwound", 0);
                                     auto& ended = scenario.make<std::atomic<int>>("ended", 0);
                                     scenario.process("process", [&] {
                                       struct guard {
                                         std::atomic<int>& count;
                                         ~guard() { ++count; }
                                       };
                                       static pthread_t main_thread;
                                       main_thread = pthread_self();
                                       const guard one{unwound};
                                       start(
                                           [](void* count) -> void* {
                                             pthread_join(main_thread, nullptr);
                                             ++*static_cast<std::atomic<int>*>(count);
                                             _exit(0);
                                           },
                                           &ended);
                                       pthread_exit(nullptr);
                                     });
                                     scenario.finally([&] {
                                       forkloom::expect(unwound.load() == 1);
                                       forkloom::expect(ended.load() == 1);
                                     });
                                   },
                               .defaults = {}};
  info.defaults.strategy = "random";
  info.defaults.executions = 20;
  info.defaults.checkers = {"expectation", "deadlock", "exit", "hang", "crash"};
  forkloom::semantics::require_as_expected(forkloom::explore::run_campaign(info, info.defaults));
}
#endif

// Threads in processes: what they share is the process's, and some of it all processes'.
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

struct tally {
  forkloom::ipc::mutex lock;  // between processes
  forkloom::shared<int> count{0};
};

using counting = std::function<void(tally&, std::mutex& in_process)>;

// Two processes of two threads each, and each thread counts one.
void count_with(forkloom::scenario& scenario, const counting& count) {
  auto& shared = scenario.make<tally>("tally");
  scenario.processes("counter", 2, [&, count](forkloom::process&) {
    std::mutex in_process;
    std::array<std::thread, 2> threads;
    for (auto& thread : threads) thread = std::thread([&] { count(shared, in_process); });
    for (auto& thread : threads) thread.join();
  });
  scenario.finally([&] { forkloom::expect(shared.count == 4); });
}

// A pool whose owner holds the queue's lock while it asks another process, and whose worker needs
// the lock before it answers that process.
struct desk {
  forkloom::ipc::mutex file;  // which both processes use
};

void serve(forkloom::scenario& scenario, bool same_order) {
  auto& shared = scenario.make<desk>("desk");
  scenario.process("server", [&, same_order] {
    std::mutex queue;
    std::thread worker([&] {
      const std::scoped_lock first(queue);
      const std::scoped_lock second(shared.file);
    });
    if (same_order) {
      const std::scoped_lock first(queue);
      const std::scoped_lock second(shared.file);
    } else {
      const std::scoped_lock first(shared.file);
      const std::scoped_lock second(queue);
    }
    worker.join();
  });
  scenario.process("reader", [&] { const std::scoped_lock reads(shared.file); });
}

pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

void write_log() {
  pthread_mutex_lock(&log_lock);
  sched_yield();
  pthread_mutex_unlock(&log_lock);
}

// A process with a thread that logs forks a child that logs, too. The child has a copy of the lock,
// and not of the thread that may hold it.
void fork_beside_logger(bool prepared) {
  const auto lock = [] { pthread_mutex_lock(&log_lock); };
  const auto unlock = [] { pthread_mutex_unlock(&log_lock); };
  std::thread logger(write_log);
  if (prepared) lock();  // as pthread_atfork(3) advises
  const auto child = fork();
  if (prepared) unlock();
  if (child == 0) {
    write_log();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  logger.join();
}

void* work(void*) { return nullptr; }

// A worker that is cancelled while it sleeps with the lock in its hands; its owner needs the lock.
void cancel_worker(void* (*routine)(void*)) {
  pthread_t worker{};
  pthread_create(&worker, nullptr, routine, nullptr);
  sched_yield();
  pthread_cancel(worker);
  pthread_join(worker, nullptr);
  write_log();
}

}  // namespace

FORKLOOM_SCENARIO("threads of two processes under a mutex of each", "[thread][counter][broken]",
                  .expects = {forkloom::violation_kind::lost_update,
                              forkloom::violation_kind::expectation}) {
  count_with(scenario, [](tally& shared, std::mutex& in_process) {
    const std::scoped_lock lock(in_process);
    const int seen = shared.count;
    shared.count = seen + 1;
  });
}

FORKLOOM_SCENARIO("threads of two processes under a mutex of both", "[thread][counter][correct]") {
  count_with(scenario, [](tally& shared, std::mutex&) {
    const std::scoped_lock lock(shared.lock);
    const int seen = shared.count;
    shared.count = seen + 1;
  });
}

FORKLOOM_SCENARIO("threads that lock across a process in opposite order",
                  "[thread][mutex][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock,
                              forkloom::violation_kind::lock_order}) {
  serve(scenario, false);
}

FORKLOOM_SCENARIO("threads that lock across a process in the same order",
                  "[thread][mutex][correct]") {
  serve(scenario, true);
}

FORKLOOM_SCENARIO("a fork while a thread holds a lock", "[thread][fork][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  scenario.process("server", [] { fork_beside_logger(false); });
}

FORKLOOM_SCENARIO("a fork that takes the lock first", "[thread][fork][correct]") {
  scenario.process("server", [] { fork_beside_logger(true); });
}

FORKLOOM_SCENARIO("a thread that nobody joins", "[thread][leak][broken]",
                  .expects = {forkloom::violation_kind::leak}) {
  scenario.process("server", [] {
    pthread_t worker{};
    pthread_create(&worker, nullptr, work, nullptr);
    sched_yield();
  });
}

FORKLOOM_SCENARIO("a thread that is joined", "[thread][leak][correct]") {
  scenario.process("server", [] {
    pthread_t worker{};
    pthread_create(&worker, nullptr, work, nullptr);
    sched_yield();
    pthread_join(worker, nullptr);
  });
}

FORKLOOM_SCENARIO("a thread that is cancelled with a lock", "[thread][cancel][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock, forkloom::violation_kind::leak}) {
  scenario.process("server", [] {
    cancel_worker([](void*) -> void* {
      pthread_mutex_lock(&log_lock);
      usleep(100);
      pthread_mutex_unlock(&log_lock);
      return nullptr;
    });
  });
}

FORKLOOM_SCENARIO("a thread that unlocks when it is cancelled", "[thread][cancel][correct]") {
  scenario.process("server", [] {
    cancel_worker([](void*) -> void* {
      pthread_mutex_lock(&log_lock);
      pthread_cleanup_push([](void*) { pthread_mutex_unlock(&log_lock); }, nullptr);
      usleep(100);
      pthread_cleanup_pop(1);
      return nullptr;
    });
  });
}

FORKLOOM_SCENARIO("a value that is used before its once routine has ended",
                  "[thread][once][broken]", .expects = {forkloom::violation_kind::expectation}) {
  scenario.process("server", [] {
    static bool begun = false;  // what a hand-made "once" remembers
    static int value = 0;
    const auto use = [](void*) -> void* {
      if (!begun) {
        begun = true;
        sched_yield();
        value = 7;
      }
      forkloom::expect(value == 7);
      return nullptr;
    };
    std::array<pthread_t, 2> threads{};
    for (auto& thread : threads) pthread_create(&thread, nullptr, use, nullptr);
    for (const auto thread : threads) pthread_join(thread, nullptr);
  });
}

FORKLOOM_SCENARIO("a value that pthread_once has made", "[thread][once][correct]") {
  scenario.process("server", [] {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static int value = 0;
    const auto use = [](void*) -> void* {
      pthread_once(&once, [] {
        sched_yield();
        value = 7;
      });
      forkloom::expect(value == 7);
      return nullptr;
    };
    std::array<pthread_t, 2> threads{};
    for (auto& thread : threads) pthread_create(&thread, nullptr, use, nullptr);
    for (const auto thread : threads) pthread_join(thread, nullptr);
  });
}

FORKLOOM_SCENARIO("sixty-four processes of four threads", "[thread][many][correct]",
                  .executions = 5) {
  auto& shared = scenario.make<tally>("tally");
  scenario.processes("worker", 64, [&](forkloom::process&) {
    std::array<std::thread, 3> threads;  // and the main one
    const auto count = [&] {
      const std::scoped_lock lock(shared.lock);
      shared.count = shared.count + 1;
    };
    for (auto& thread : threads) thread = std::thread(count);
    count();
    for (auto& thread : threads) thread.join();
  });
  scenario.finally([&] { forkloom::expect(shared.count == 256); });
}

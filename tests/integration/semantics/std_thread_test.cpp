#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <queue>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;
using namespace std::chrono_literals;

struct world : notes {};

}  // namespace

TEST_CASE("std::thread and std::mutex count as they do without control") {
  const auto seen = both<world>({[](world& w) {
    std::mutex mutex;
    int count = 0;
    std::array<std::thread, 4> threads;
    for (auto& thread : threads)
      thread = std::thread([&] {
        for (int i = 0; i < 5; ++i) {
          const std::scoped_lock lock(mutex);
          ++count;
        }
      });
    for (auto& thread : threads) thread.join();
    w.note(0, count);
  }});
  CHECK(seen[0] == 20);
}

TEST_CASE("a queue with std::condition_variable hands everything over in order") {
  const auto seen = both<world>({[](world& w) {
    std::mutex mutex;
    std::condition_variable filled;
    std::queue<int> queue;
    std::thread consumer([&] {
      for (std::size_t i = 0; i < 4; ++i) {
        std::unique_lock lock(mutex);
        filled.wait(lock, [&] { return !queue.empty(); });
        w.note(i, queue.front());
        queue.pop();
      }
    });
    for (int i = 0; i < 4; ++i) {
      const std::scoped_lock lock(mutex);
      queue.push(10 * i);
      filled.notify_one();
    }
    consumer.join();
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[3] == 30);
}

TEST_CASE("waits of std::condition_variable end at their time") {
  const auto seen = both<world>({[](world& w) {
    std::mutex mutex;
    std::condition_variable never;
    std::condition_variable_any never_any;
    std::unique_lock lock(mutex);
    w.note(0, never.wait_for(lock, 1ms) == std::cv_status::timeout);
    w.note(1, never_any.wait_for(lock, 1ms) == std::cv_status::timeout);
    w.note(2, never.wait_until(lock, std::chrono::system_clock::now() + 1ms) ==
                  std::cv_status::timeout);
    w.note(3, lock.owns_lock());
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("a jthread is told to stop and joined at the end of its scope") {
  const auto seen = both<world>({[](world& w) {
    std::atomic<bool> stopped{false};
    {
      const std::jthread worker([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) std::this_thread::yield();
        stopped = true;
      });
    }
    w.note(0, stopped);
  }});
  CHECK(seen[0] == 1);
}

TEST_CASE("std::async gives values and exceptions to who asks") {
  const auto seen = both<world>({[](world& w) {
    auto value = std::async(std::launch::async, [] { return 12; });
    auto error = std::async(std::launch::async, []() -> int { throw std::out_of_range("x"); });
    w.note(0, value.get());
    try {
      error.get();
    } catch (const std::out_of_range&) {
      w.note(1, 1);
    }
    std::promise<int> promise;
    std::thread keeps([&] { promise.set_value(3); });
    w.note(2, promise.get_future().get());
    keeps.join();
  }});
  CHECK(seen[0] == 12);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 3);
}

TEST_CASE("timed and shared mutexes of std exclude as they do without control") {
  const auto seen = both<world>({[](world& w) {
    std::timed_mutex timed;
    std::shared_mutex shared;
    std::recursive_mutex recursive;
    const std::scoped_lock all(timed, recursive);
    const std::shared_lock reads(shared);
    std::thread([&] {
      w.note(0, timed.try_lock_for(1ms));
      w.note(1, recursive.try_lock());
      w.note(2, shared.try_lock());
      w.note(3, shared.try_lock_shared());
      shared.unlock_shared();
    }).join();
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

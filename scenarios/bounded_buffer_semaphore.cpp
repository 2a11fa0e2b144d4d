// The bounded buffer on semaphores, with one that counts free places and one that counts goods.
// Broken: producers take the lock before they wait for a place, and so lock out whoever would make
// one.
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr unsigned capacity = 1;
constexpr int rounds = 2;

struct buffer {
  forkloom::ipc::mutex lock;
  forkloom::ipc::semaphore places{capacity};
  forkloom::ipc::semaphore ready{0};
  forkloom::shared<int> goods{0};
  forkloom::shared<int> moved{0};

  void put_with_lock_first() {
    const std::scoped_lock guard{lock};
    places.acquire();
    ++goods;
    ready.release();
  }

  void put() {
    places.acquire();
    {
      const std::scoped_lock guard{lock};
      ++goods;
    }
    ready.release();
  }

  void take() {
    ready.acquire();
    {
      const std::scoped_lock guard{lock};
      --goods;
      ++moved;
    }
    places.release();
  }
};

}  // namespace

FORKLOOM_SCENARIO("a bounded buffer that locks before it waits",
                  "[buffer][semaphore][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& shelf = scenario.make<buffer>("shelf");
  scenario.process("producer", [&] {
    for (int i = 0; i < rounds; ++i) shelf.put_with_lock_first();
  });
  scenario.process("consumer", [&] {
    for (int i = 0; i < rounds; ++i) shelf.take();
  });
}

FORKLOOM_SCENARIO("a bounded buffer that waits before it locks", "[buffer][semaphore][correct]") {
  auto& shelf = scenario.make<buffer>("shelf");
  scenario.process("producer", [&] {
    for (int i = 0; i < rounds; ++i) shelf.put();
  });
  scenario.process("consumer", [&] {
    for (int i = 0; i < rounds; ++i) shelf.take();
  });
  scenario.finally([&] {
    forkloom::expect(shelf.goods == 0);
    forkloom::expect(shelf.moved == rounds);
  });
}

// Consumers that wait for goods with a mutex and a condition variable. Two classical faults: a
// wake-up taken for the condition itself (`if` for `while`), and a wake-up sent before anybody
// waits.
#include <mutex>

#include "forkloom/ipc/condition.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr int capacity = 1;

struct buffer {
  forkloom::ipc::mutex lock;
  forkloom::ipc::condition filled;
  forkloom::ipc::condition emptied;
  forkloom::shared<int> goods{0};

  void put() {
    std::unique_lock guard{lock};
    emptied.wait(guard, [&] { return goods < capacity; });
    ++goods;
    filled.notify_one();
  }

  void take(const std::unique_lock<forkloom::ipc::mutex>&) {
    forkloom::expect(goods > 0);
    --goods;
    emptied.notify_one();
  }

  void take_after_if() {
    std::unique_lock guard{lock};
    if (goods == 0) filled.wait(guard);
    take(guard);
  }

  void take_after_while() {
    std::unique_lock guard{lock};
    filled.wait(guard, [&] { return goods > 0; });
    take(guard);
  }
};

struct doorbell {
  forkloom::ipc::mutex lock;
  forkloom::ipc::condition rung;
  forkloom::shared<bool> visitor{false};
};

}  // namespace

FORKLOOM_SCENARIO("a bounded buffer that waits with if", "[buffer][condition][expectation][broken]",
                  .expects = {forkloom::violation_kind::expectation}) {
  auto& shelf = scenario.make<buffer>("shelf");
  scenario.processes("consumer", 2, [&] { shelf.take_after_if(); });
  scenario.process("producer", [&] {
    shelf.put();
    shelf.put();
  });
}

FORKLOOM_SCENARIO("a bounded buffer that waits with while", "[buffer][condition][correct]") {
  auto& shelf = scenario.make<buffer>("shelf");
  scenario.processes("consumer", 2, [&] { shelf.take_after_while(); });
  scenario.process("producer", [&] {
    shelf.put();
    shelf.put();
  });
  scenario.finally([&] { forkloom::expect(shelf.goods == 0); });
}

FORKLOOM_SCENARIO("a wake-up that nobody remembers", "[doorbell][condition][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& bell = scenario.make<doorbell>("bell");
  scenario.process("visitor", [&] { bell.rung.notify_one(); });
  scenario.process("host", [&] {
    std::unique_lock guard{bell.lock};
    bell.rung.wait(guard);
  });
}

FORKLOOM_SCENARIO("a wake-up with a flag beside it", "[doorbell][condition][correct]") {
  auto& bell = scenario.make<doorbell>("bell");
  scenario.process("visitor", [&] {
    const std::scoped_lock guard{bell.lock};
    bell.visitor = true;
    bell.rung.notify_one();
  });
  scenario.process("host", [&] {
    std::unique_lock guard{bell.lock};
    bell.rung.wait(guard, [&] { return bell.visitor.load(); });
  });
}

// A wait for a condition variable may end although nobody has signalled it.
//
// Broken: the waiter takes its wake-up for the news. Correct: it looks.
#include <mutex>

#include "forkloom/ipc/condition.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

struct letter_box {
  forkloom::ipc::mutex lock;
  forkloom::ipc::condition filled;
  forkloom::shared<bool> has_letter{false};

  void put() {
    const std::scoped_lock guard(lock);
    has_letter = true;
    filled.notify_one();
  }
};

}  // namespace

FORKLOOM_SCENARIO("a letter that is waited for with if",
                  "[faults][wakeup][condition][expectation][broken]", .faults = "wakeup:1",
                  .expects = {forkloom::violation_kind::expectation}) {
  auto& box = scenario.make<letter_box>("box");
  scenario.process("reader", [&] {
    std::unique_lock guard(box.lock);
    if (!box.has_letter) box.filled.wait(guard);
    forkloom::expect(box.has_letter == true);
  });
  scenario.process("postman", [&] { box.put(); });
}

FORKLOOM_SCENARIO("a letter that is waited for with while", "[faults][wakeup][condition][correct]",
                  .faults = "wakeup:3") {
  auto& box = scenario.make<letter_box>("box");
  scenario.process("reader", [&] {
    std::unique_lock guard(box.lock);
    while (!box.has_letter) box.filled.wait(guard);
    forkloom::expect(box.has_letter == true);
  });
  scenario.process("postman", [&] { box.put(); });
}

// A lease: whoever has it may write, until it runs out. Its holder may be stopped for longer than
// that, and does not notice.
//
// Broken: the holder looks at the clock, and writes later. Correct: the holder makes sure of the
// lease in the same moment in which it writes.
#include <time.h>
#include <unistd.h>

#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr long term_us = 10'000;

long now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
}

struct lease {
  static constexpr int nobody = 0;

  forkloom::ipc::mutex lock;
  forkloom::shared<int> holder{nobody};
  forkloom::shared<long> until{0};
  forkloom::shared<int> value{10};

  void take(int who) {
    for (;;) {
      long left = 0;
      {
        const std::scoped_lock guard(lock);
        const auto now = now_us();
        left = holder == nobody ? 0 : until - now;
        if (left <= 0) {
          holder = who;
          until = now + term_us;
          return;
        }
      }
      ::usleep(static_cast<useconds_t>(left));
    }
  }

  void give_back(int who) {
    const std::scoped_lock guard(lock);
    if (holder == who) holder = nobody;
  }
};

}  // namespace

FORKLOOM_SCENARIO("a lease that runs out while its holder is stopped",
                  "[faults][stop][lost-update][broken]", .faults = "stop:1",
                  .expects = {forkloom::violation_kind::lost_update,
                              forkloom::violation_kind::expectation}) {
  auto& shared = scenario.make<lease>("lease");
  scenario.processes("writer", 2, [&](forkloom::process& self) {
    const auto me = static_cast<int>(self.index()) + 1;
    shared.take(me);
    ++shared.value;
    shared.give_back(me);
  });
  scenario.finally([&] { forkloom::expect(shared.value == 12); });
}

FORKLOOM_SCENARIO("a lease that is looked at when its holder writes", "[faults][stop][correct]",
                  .faults = "stop:1") {
  auto& shared = scenario.make<lease>("lease");
  scenario.processes("writer", 2, [&](forkloom::process& self) {
    const auto me = static_cast<int>(self.index()) + 1;
    for (bool done = false; !done;) {
      shared.take(me);
      const std::scoped_lock guard(shared.lock);
      if (shared.holder != me) continue;
      ++shared.value;
      shared.holder = lease::nobody;
      done = true;
    }
  });
  scenario.finally([&] { forkloom::expect(shared.value == 12); });
}

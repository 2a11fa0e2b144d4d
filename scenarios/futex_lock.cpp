// A lock of one's own in shared memory (Drepper, "Futexes Are Tricky", 2011): 0 is free, 1 is
// taken, 2 is taken and somebody may wait. Whoever has waited must take it as 2, since others may
// wait still; taken as 1, it is given back without a wake, and they sleep for ever.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "forkloom/scenario.hpp"

namespace {

constexpr std::uint32_t unlocked = 0;
constexpr std::uint32_t taken = 1;
constexpr std::uint32_t contended = 2;

class futex_lock {
 public:
  // after_wait: as what it is taken by one that has waited.
  void lock(std::uint32_t after_wait) {
    auto found = unlocked;
    if (word_.compare_exchange_strong(found, taken)) return;
    for (;;) {
      if (found == contended || is_taken())
        ::syscall(SYS_futex, &word_, FUTEX_WAIT, contended, nullptr);
      found = unlocked;
      if (word_.compare_exchange_strong(found, after_wait)) return;
    }
  }

  void unlock() {
    if (word_.exchange(unlocked) == contended) ::syscall(SYS_futex, &word_, FUTEX_WAKE, 1);
  }

 private:
  // If it is, it says from now on that somebody may wait.
  bool is_taken() {
    auto found = taken;
    return word_.compare_exchange_strong(found, contended) || found == contended;
  }

  std::atomic<std::uint32_t> word_{unlocked};
};

void declare(forkloom::scenario& scenario, std::uint32_t after_wait) {
  auto& lock = scenario.make<futex_lock>("lock");
  auto& count = scenario.shared<int>("count");
  scenario.processes("worker", 3, [&lock, &count, after_wait] {
    lock.lock(after_wait);
    count = count + 1;
    lock.unlock();
  });
  scenario.finally([&] { forkloom::expect(forkloom::that(count.load()) == 3); });
}

}  // namespace

FORKLOOM_SCENARIO("a futex lock that forgets who else waits", "[futex][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  declare(scenario, taken);
}

FORKLOOM_SCENARIO("a futex lock that remembers who else waits", "[futex][correct]") {
  declare(scenario, contended);
}

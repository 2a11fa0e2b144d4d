// A lock guards only against those who take it, too: one side that "only adds one" without it is
// enough to lose what the other side did.
#include <pthread.h>

#include <mutex>

#include "forkloom/scenario.hpp"

namespace {

constexpr int increments = 3;

class spin_lock {
 public:
  spin_lock() { ::pthread_spin_init(&lock_, PTHREAD_PROCESS_SHARED); }
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;
  ~spin_lock() { ::pthread_spin_destroy(&lock_); }

  void lock() { ::pthread_spin_lock(&lock_); }
  void unlock() { ::pthread_spin_unlock(&lock_); }

 private:
  pthread_spinlock_t lock_;
};

struct meter {
  spin_lock lock;
  forkloom::shared<long> count{0};

  void add_guarded() {
    for (int i = 0; i < increments; ++i) {
      const std::scoped_lock guard{lock};
      ++count;
    }
  }

  void add_unguarded() {
    for (int i = 0; i < increments; ++i) ++count;
  }
};

}  // namespace

FORKLOOM_SCENARIO("a spin lock that only one side takes", "[spin-lock][lost-update][broken]",
                  .expects = {forkloom::violation_kind::lost_update,
                              forkloom::violation_kind::expectation}) {
  auto& visitors = scenario.make<meter>("visitors");
  scenario.process("front door", [&] { visitors.add_guarded(); });
  scenario.process("back door", [&] { visitors.add_unguarded(); });
  scenario.finally([&] { forkloom::expect(visitors.count == 2 * increments); });
}

FORKLOOM_SCENARIO("a spin lock that both sides take", "[spin-lock][correct]") {
  auto& visitors = scenario.make<meter>("visitors");
  scenario.process("front door", [&] { visitors.add_guarded(); });
  scenario.process("back door", [&] { visitors.add_guarded(); });
  scenario.finally([&] { forkloom::expect(visitors.count == 2 * increments); });
}

// Whoever holds a lock may be killed at any moment.
//
// Broken: a plain mutex stays locked for ever. Correct: a robust one passes on to the next, who
// mends what is half done.
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

using forkloom::ipc::mutex;

// Two halves that must be equal whenever nobody holds the lock.
struct accounts {
  explicit accounts(mutex::robustness death) : lock(mutex::kind::normal, death) {}

  mutex lock;
  forkloom::shared<int> debit{10};
  forkloom::shared<int> credit{10};

  void post_entry() {
    if (lock.lock() == mutex::acquired::owner_died) {
      credit = debit.load();
      lock.consistent();
    }
    forkloom::expect(debit == credit.load());
    ++debit;
    ++credit;
    lock.unlock();
  }
};

}  // namespace

FORKLOOM_SCENARIO("a mutex whose owner may be killed", "[faults][kill][mutex][deadlock][broken]",
                  .faults = "kill:1", .expects = {forkloom::violation_kind::deadlock}) {
  auto& books = scenario.make<accounts>("books", mutex::robustness::stalled);
  scenario.processes("clerk", 2, [&] { books.post_entry(); });
}

FORKLOOM_SCENARIO("a robust mutex whose owner may be killed", "[faults][kill][mutex][correct]",
                  .faults = "kill:1") {
  auto& books = scenario.make<accounts>("books", mutex::robustness::robust);
  scenario.processes("clerk", 2, [&] { books.post_entry(); });
}

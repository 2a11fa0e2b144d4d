// Blocks that should be atomic, and that take their lock for each step instead of once: nothing is
// lost, but others see, or are seen, half way.
#include <mutex>

#include "forkloom/atomically.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

using forkloom::atomically;
using forkloom::violation_kind;

namespace {

struct accounts {
  forkloom::ipc::mutex lock;
  forkloom::shared<long> savings{100};
  forkloom::shared<long> current{100};

  void add(forkloom::shared<long>& account, long amount) {
    const std::scoped_lock guard{lock};
    account += amount;
  }
  [[nodiscard]] long balance(const forkloom::shared<long>& account) {
    const std::scoped_lock guard{lock};
    return account;
  }
};

}  // namespace

FORKLOOM_SCENARIO("a transfer that locks for each account anew", "[bank][atomic][broken]",
                  .expects = {violation_kind::atomicity}) {
  auto& bank = scenario.make<accounts>("bank");
  scenario.process("teller", [&] {
    atomically("transfer", [&] {
      bank.add(bank.savings, -10);
      bank.add(bank.current, 10);
    });
  });
  scenario.process("auditor", [&] {
    atomically("audit", [&] {
      static_cast<void>(bank.balance(bank.savings));
      static_cast<void>(bank.balance(bank.current));
    });
  });
  scenario.finally([&] { forkloom::expect(bank.savings + bank.current == 200); });
}

FORKLOOM_SCENARIO("a transfer that locks once for both accounts", "[bank][atomic][correct]") {
  auto& bank = scenario.make<accounts>("bank");
  scenario.process("teller", [&] {
    atomically("transfer", [&] {
      const std::scoped_lock guard{bank.lock};
      bank.savings -= 10;
      bank.current += 10;
    });
  });
  scenario.process("auditor", [&] {
    atomically("audit", [&] {
      const std::scoped_lock guard{bank.lock};
      forkloom::expect(bank.savings + bank.current == 200);
    });
  });
}

FORKLOOM_SCENARIO("an auditor who counts the same account twice", "[bank][atomic][broken]",
                  .expects = {violation_kind::atomicity}) {
  auto& bank = scenario.make<accounts>("bank");
  scenario.process("teller", [&] { bank.add(bank.savings, 10); });
  scenario.process("auditor", [&] {
    atomically("audit", [&] {
      static_cast<void>(bank.balance(bank.savings));
      static_cast<void>(bank.balance(bank.savings));
    });
  });
}

// Two transfers in opposite directions, each of which locks both accounts.
#include <functional>
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

struct account {
  explicit account(unsigned place) : number(place) {}

  unsigned number;
  forkloom::ipc::mutex lock;
  forkloom::shared<long> balance{100};
};

// Locks the two accounts in the order of the call, then moves the money.
void transfer(account& from, account& to, account& first, account& second, long amount) {
  const std::scoped_lock outer{first.lock};
  const std::scoped_lock inner{second.lock};
  from.balance -= amount;
  to.balance += amount;
}

using transferrer = std::function<void(account& from, account& to, long amount)>;

void declare(forkloom::scenario& scenario, const transferrer& move) {
  auto& savings = scenario.make<account>("savings", 0U);
  auto& current = scenario.make<account>("current", 1U);
  scenario.process("payer", [&, move] { move(savings, current, 30); });
  scenario.process("saver", [&, move] { move(current, savings, 10); });
  scenario.finally([&] {
    forkloom::expect(savings.balance == 80);
    forkloom::expect(current.balance == 120);
  });
}

}  // namespace

FORKLOOM_SCENARIO("bank transfers that lock the source first", "[bank][mutex][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock,
                              forkloom::violation_kind::lock_order}) {
  declare(scenario,
          [](account& from, account& to, long amount) { transfer(from, to, from, to, amount); });
}

FORKLOOM_SCENARIO("bank transfers that lock the lower number first", "[bank][mutex][correct]") {
  declare(scenario, [](account& from, account& to, long amount) {
    const bool ordered = from.number < to.number;
    transfer(from, to, ordered ? from : to, ordered ? to : from, amount);
  });
}

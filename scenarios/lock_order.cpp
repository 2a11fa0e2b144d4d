// An order of locks that can deadlock shows in executions that do not: the two nestings are far
// apart in time, so hardly any schedule brings them together. (pthread_mutex_lock(3); a gate lock,
// or an order that the program keeps by other means, makes it sound.)
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

namespace {

struct office {
  forkloom::ipc::mutex ledger;
  forkloom::ipc::mutex safe;
  forkloom::ipc::mutex gate;
  forkloom::ipc::semaphore morning_over{0};
  forkloom::shared<long> cash{0};
};

constexpr int letters = 40;

// Keeps the process busy with what concerns nobody else.
void sort_letters(forkloom::shared<int>& sorted) {
  for (int i = 0; i < letters; ++i) ++sorted;
}

void enter(office& o) {
  const std::scoped_lock book{o.ledger};
  const std::scoped_lock box{o.safe};
  o.cash += 10;
}

void count(office& o) {
  const std::scoped_lock box{o.safe};
  const std::scoped_lock book{o.ledger};
  o.cash += 0;
}

}  // namespace

FORKLOOM_SCENARIO("two locks taken in opposite order at different times",
                  "[mutex][lock_order][broken]",
                  .expects = {forkloom::violation_kind::lock_order,
                              forkloom::violation_kind::deadlock}) {
  auto& o = scenario.make<office>("office");
  auto& sorted = scenario.shared<int>("letters");
  scenario.process("clerk", [&] { enter(o); });
  scenario.process("cashier", [&] {
    sort_letters(sorted);
    count(o);
  });
}

FORKLOOM_SCENARIO("two locks taken in opposite order behind a gate",
                  "[mutex][lock_order][correct]") {
  auto& o = scenario.make<office>("office");
  scenario.process("clerk", [&] {
    const std::scoped_lock gate{o.gate};
    enter(o);
  });
  scenario.process("cashier", [&] {
    const std::scoped_lock gate{o.gate};
    count(o);
  });
  scenario.finally([&] { forkloom::expect(o.cash == 10); });
}

FORKLOOM_SCENARIO("two locks taken in opposite order, one after the other",
                  "[mutex][semaphore][lock_order][correct]") {
  auto& o = scenario.make<office>("office");
  scenario.process("clerk", [&] {
    enter(o);
    o.morning_over.release();
  });
  scenario.process("cashier", [&] {
    o.morning_over.acquire();
    count(o);
  });
  scenario.finally([&] { forkloom::expect(o.cash == 10); });
}

FORKLOOM_SCENARIO("two semaphores with room for two, taken in opposite order",
                  "[semaphore][lock_order][correct]") {
  auto& desks = scenario.make<forkloom::ipc::semaphore>("desks", 2);
  auto& lamps = scenario.make<forkloom::ipc::semaphore>("lamps", 2);
  const auto read = [](forkloom::ipc::semaphore& first, forkloom::ipc::semaphore& second) {
    first.acquire();
    second.acquire();
    second.release();
    first.release();
  };
  scenario.process("clerk", [&] { read(desks, lamps); });
  scenario.process("cashier", [&] { read(lamps, desks); });
}

FORKLOOM_SCENARIO("two locks of which the second is only tried for",
                  "[mutex][lock_order][correct]") {
  auto& o = scenario.make<office>("office");
  scenario.process("clerk", [&] { enter(o); });
  scenario.process("cashier", [&] {
    const std::scoped_lock box{o.safe};
    if (!o.ledger.try_lock()) return;
    o.cash += 0;
    o.ledger.unlock();
  });
  scenario.finally([&] { forkloom::expect(o.cash == 10); });
}

// Plain variables in shared memory, in instrumented code: the compiler tells of each access.
#include <atomic>
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr unsigned processes = 2;
constexpr int increments = 3;
constexpr long total = processes * increments;
constexpr long answer = 42;

struct letter {
  std::atomic<int> sent{0};
  long text = 0;
};

// Sends and receives with these memory orders; the receiver does not wait.
void declare_letter(forkloom::scenario& scenario, std::memory_order sends,
                    std::memory_order receives) {
  auto& mail = scenario.make<letter>("letter");
  scenario.process("sender", [&mail, sends] {
    mail.text = answer;
    mail.sent.store(1, sends);
  });
  scenario.process("receiver", [&mail, receives] {
    if (mail.sent.load(receives) != 0) forkloom::expect(mail.text == answer);
  });
}

}  // namespace

FORKLOOM_SCENARIO("a plain counter", "[memory][lost-update][broken]",
                  .expects = {forkloom::violation_kind::data_race,
                              forkloom::violation_kind::lost_update,
                              forkloom::violation_kind::expectation}) {
  auto& counter = scenario.make<long>("counter");
  scenario.processes("clerk", processes, [&] {
    for (int i = 0; i < increments; ++i) ++counter;
  });
  scenario.finally([&] { forkloom::expect(counter == total); });
}

FORKLOOM_SCENARIO("a plain counter under a mutex", "[memory][mutex][correct]") {
  auto& counter = scenario.make<long>("counter");
  auto& lock = scenario.make<forkloom::ipc::mutex>("counter lock");
  scenario.processes("clerk", processes, [&] {
    for (int i = 0; i < increments; ++i) {
      const std::scoped_lock guard{lock};
      ++counter;
    }
  });
  scenario.finally([&] { forkloom::expect(counter == total); });
}

FORKLOOM_SCENARIO("a counter that is a std::atomic", "[memory][atomic][correct]") {
  auto& counter = scenario.make<std::atomic<long>>("counter");
  scenario.processes("clerk", processes, [&] {
    for (int i = 0; i < increments; ++i) counter.fetch_add(1, std::memory_order_relaxed);
  });
  scenario.finally([&] { forkloom::expect(counter == total); });
}

FORKLOOM_SCENARIO("a letter announced by a relaxed store", "[memory][atomic][broken]",
                  .expects = {forkloom::violation_kind::data_race}) {
  declare_letter(scenario, std::memory_order_relaxed, std::memory_order_acquire);
}

FORKLOOM_SCENARIO("a letter announced by a release store", "[memory][atomic][correct]") {
  declare_letter(scenario, std::memory_order_release, std::memory_order_acquire);
}

FORKLOOM_SCENARIO("a plain flag that is waited for", "[memory][spin][broken]",
                  .expects = {forkloom::violation_kind::data_race}) {
  auto& ready = scenario.make<int>("ready");
  scenario.process("worker", [&] { const_cast<volatile int&>(ready) = 1; });
  scenario.process("waiter", [&] {
    while (const_cast<volatile int&>(ready) == 0) continue;
  });
}

FORKLOOM_SCENARIO("an atomic flag that is waited for", "[memory][spin][correct]") {
  auto& ready = scenario.make<std::atomic<int>>("ready");
  auto& result = scenario.make<long>("result");
  scenario.process("worker", [&] {
    result = answer;
    ready.store(1, std::memory_order_release);
  });
  scenario.processes("waiter", processes, [&] {
    while (ready.load(std::memory_order_acquire) == 0) continue;
    forkloom::expect(result == answer);
  });
}

FORKLOOM_SCENARIO("a flag that nobody sets", "[memory][spin][broken]",
                  .expects = {forkloom::violation_kind::hang}) {
  auto& ready = scenario.make<std::atomic<int>>("ready");
  scenario.process("waiter", [&] {
    while (ready.load(std::memory_order_acquire) == 0) continue;
  });
}

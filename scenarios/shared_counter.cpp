// The smallest race: an increment is a load and a store, and another process comes in between.
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr unsigned processes = 2;
constexpr int increments = 3;
constexpr long total = processes * increments;

}  // namespace

FORKLOOM_SCENARIO("a broken counter", "[counter][lost-update][broken]",
                  .expects = {forkloom::violation_kind::lost_update,
                              forkloom::violation_kind::expectation}) {
  auto& counter = scenario.shared<long>("counter");
  scenario.processes("clerk", processes, [&] {
    for (int i = 0; i < increments; ++i) ++counter;
  });
  scenario.finally([&] { forkloom::expect(counter == total); });
}

FORKLOOM_SCENARIO("a counter under a mutex", "[counter][mutex][correct]") {
  auto& counter = scenario.shared<long>("counter");
  auto& lock = scenario.make<forkloom::ipc::mutex>("counter lock");
  scenario.processes("clerk", processes, [&] {
    for (int i = 0; i < increments; ++i) {
      const std::scoped_lock guard{lock};
      ++counter;
    }
  });
  scenario.finally([&] { forkloom::expect(counter == total); });
}

FORKLOOM_SCENARIO("an atomic counter", "[counter][atomic][correct]") {
  auto& counter = scenario.shared<long>("counter");
  scenario.processes("clerk", processes, [&] {
    for (int i = 0; i < increments; ++i) counter.fetch_add(1);
  });
  scenario.finally([&] { forkloom::expect(counter == total); });
}

// A wait for a semaphore may be interrupted by the handler of a signal.
//
// Broken: whoever is interrupted goes on as if it had the semaphore. Correct: it waits again.
#include <semaphore.h>

#include <cerrno>

#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

using forkloom::ipc::semaphore;

FORKLOOM_SCENARIO("a semaphore wait that does not look at its result",
                  "[faults][eintr][semaphore][lost-update][unchecked][broken]", .faults = "eintr:1",
                  .expects = {forkloom::violation_kind::unchecked_failure,
                              forkloom::violation_kind::lost_update,
                              forkloom::violation_kind::expectation}) {
  auto& free = scenario.make<semaphore>("free", 1U);
  auto& counter = scenario.shared<int>("counter", 10);
  scenario.processes("worker", 2, [&] {
    ::sem_wait(free.native_handle());
    ++counter;
    free.release();
  });
  scenario.finally([&] { forkloom::expect(counter == 12); });
}

FORKLOOM_SCENARIO("a semaphore wait that begins anew", "[faults][eintr][semaphore][correct]",
                  .faults = "eintr:3") {
  auto& free = scenario.make<semaphore>("free", 1U);
  auto& counter = scenario.shared<int>("counter", 0);
  scenario.processes("worker", 2, [&] {
    while (::sem_wait(free.native_handle()) != 0) forkloom::expect(forkloom::that(errno) == EINTR);
    ++counter;
    free.release();
  });
  scenario.finally([&] { forkloom::expect(counter == 2); });
}

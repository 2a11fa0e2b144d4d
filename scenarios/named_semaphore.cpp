// A semaphore that processes find by its name. Broken: the guest counts on the host to have made it
// already. Correct: the guest waits until it is told so.
#include "forkloom/ipc/named_semaphore.hpp"

#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

using forkloom::violation_kind;
using forkloom::ipc::named_semaphore;
using forkloom::ipc::semaphore;

namespace {

constexpr auto name = "/tables";

// The host makes two tables and keeps the name until the guest has left.
void be_host(semaphore& made, semaphore& left) {
  {
    auto tables = named_semaphore::create(name, 1);
    made.release();
    tables.release();
    left.acquire();
  }
  named_semaphore::unlink(name);
}

void be_guest(semaphore& left) {
  auto tables = named_semaphore::open(name);
  for (int i = 0; i < 2; ++i) tables.acquire();
  left.release();
}

}  // namespace

FORKLOOM_SCENARIO("a named semaphore that is opened before it is made",
                  "[semaphore][named][crash][broken]", .expects = {violation_kind::crash}) {
  auto& made = scenario.make<semaphore>("made", 0U);
  auto& left = scenario.make<semaphore>("left", 0U);
  scenario.process("host", [&] { be_host(made, left); });
  scenario.process("guest", [&] { be_guest(left); });
}

FORKLOOM_SCENARIO("a named semaphore that is made before it is opened",
                  "[semaphore][named][correct]") {
  auto& made = scenario.make<semaphore>("made", 0U);
  auto& left = scenario.make<semaphore>("left", 0U);
  scenario.process("host", [&] { be_host(made, left); });
  scenario.process("guest", [&] {
    made.acquire();
    be_guest(left);
  });
}

// Readers share a room, a writer wants it alone. The first readers–writer problem (P. J. Courtois,
// F. Heymans, D. L. Parnas, "Concurrent control with readers and writers", CACM 14, 1971) lets
// every reader in while another one is inside, so readers who relieve each other keep the writer
// out for ever. A turnstile that the writer holds while it waits stops them.
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr unsigned readers = 3;
constexpr int visits = 20;

struct room {
  forkloom::ipc::semaphore turnstile{1};
  forkloom::ipc::mutex door;          // protects `inside`
  forkloom::shared<int> inside{0};    // readers
  forkloom::ipc::semaphore empty{1};  // taken by the writer, or by the readers together

  void reader_enters() {
    const std::scoped_lock guard{door};
    if (++inside == 1) empty.acquire();
  }

  void reader_leaves() {
    const std::scoped_lock guard{door};
    if (--inside == 0) empty.release();
  }
};

void read_once(forkloom::process& self, room& in) {
  self.granted("room");
  in.reader_leaves();
  self.give_back("room");
}

void write_once(forkloom::process& self, room& in) {
  in.empty.acquire();
  self.granted("room");
  in.empty.release();
  self.give_back("room");
}

}  // namespace

FORKLOOM_SCENARIO("a writer whom readers keep out", "[readers-writer][starvation][broken]",
                  .bypass_max = 8, .expects = {forkloom::violation_kind::starvation}) {
  auto& archive = scenario.make<room>("archive");
  scenario.processes("reader", readers, [&](forkloom::process& self) {
    for (int i = 0; i < visits; ++i) {
      self.request("room");
      archive.reader_enters();
      read_once(self, archive);
    }
  });
  scenario.process("writer", [&](forkloom::process& self) {
    self.request("room");
    write_once(self, archive);
  });
}

FORKLOOM_SCENARIO("a writer behind a turnstile", "[readers-writer][correct]", .bypass_max = 8) {
  auto& archive = scenario.make<room>("archive");
  scenario.processes("reader", readers, [&](forkloom::process& self) {
    for (int i = 0; i < visits; ++i) {
      self.request("room");
      archive.turnstile.acquire();
      archive.turnstile.release();
      archive.reader_enters();
      read_once(self, archive);
    }
  });
  scenario.process("writer", [&](forkloom::process& self) {
    self.request("room");
    archive.turnstile.acquire();
    write_once(self, archive);
    archive.turnstile.release();
  });
}

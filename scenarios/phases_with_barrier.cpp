// Work in two phases with a barrier between them: everybody fills a cell, then reads the cell of a
// neighbour. The barrier must be for exactly as many as come to it. One that also counts the
// process that set the work up, and never comes, opens for nobody.
#include <pthread.h>

#include <array>

#include "forkloom/scenario.hpp"

namespace {

constexpr unsigned workers = 3;

class barrier {
 public:
  explicit barrier(unsigned size) {
    pthread_barrierattr_t attributes;
    ::pthread_barrierattr_init(&attributes);
    ::pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_barrier_init(&barrier_, &attributes, size);
    ::pthread_barrierattr_destroy(&attributes);
  }
  barrier(const barrier&) = delete;
  barrier& operator=(const barrier&) = delete;
  ~barrier() { ::pthread_barrier_destroy(&barrier_); }

  void wait() { ::pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_;
};

struct field {
  explicit field(unsigned parties) : phase(parties) {}

  barrier phase;
  std::array<forkloom::shared<int>, workers> cells;

  void work(unsigned own) {
    cells.at(own) = 1;
    phase.wait();
    forkloom::expect(forkloom::that(cells.at((own + 1) % workers)) == 1);
  }
};

}  // namespace

FORKLOOM_SCENARIO("a barrier for one more than come", "[barrier][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& rows = scenario.make<field>("field", workers + 1);
  scenario.processes("worker", workers, [&](forkloom::process& self) { rows.work(self.index()); });
}

FORKLOOM_SCENARIO("a barrier for one fewer than come", "[barrier][expectation][deadlock][broken]",
                  .expects = {forkloom::violation_kind::expectation,
                              forkloom::violation_kind::deadlock}) {
  auto& rows = scenario.make<field>("field", workers - 1);
  scenario.processes("worker", workers, [&](forkloom::process& self) { rows.work(self.index()); });
}

FORKLOOM_SCENARIO("a barrier for as many as come", "[barrier][correct]") {
  auto& rows = scenario.make<field>("field", workers);
  scenario.processes("worker", workers, [&](forkloom::process& self) { rows.work(self.index()); });
}

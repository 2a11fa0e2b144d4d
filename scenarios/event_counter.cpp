// An eventfd adds up. One read takes everything that was posted so far, unless it is a semaphore:
// then it takes one (eventfd(2), EFD_SEMAPHORE).
#include <sys/eventfd.h>
#include <unistd.h>

#include "forkloom/ipc/stream_end.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;
using forkloom::ipc::stream_end;

namespace {

constexpr unsigned worker_count = 2;

// One post a job; each worker waits for one.
void hire(forkloom::scenario& scenario, const stream_end& jobs) {
  scenario.process("foreman", [&jobs] {
    for (unsigned i = 0; i < worker_count; ++i)
      expect(that(::eventfd_write(jobs.native_handle(), 1)) == 0);
  });
  scenario.processes("worker", worker_count, [&jobs] {
    eventfd_t posted = 0;
    expect(that(::eventfd_read(jobs.native_handle(), &posted)) == 0);
  });
}

}  // namespace

FORKLOOM_SCENARIO("workers that wait for jobs at a plain counter", "[eventfd][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  const stream_end jobs(::eventfd(0, 0));
  hire(scenario, jobs);
}

FORKLOOM_SCENARIO("workers that wait for jobs at a semaphore", "[eventfd][correct]") {
  const stream_end jobs(::eventfd(0, EFD_SEMAPHORE));
  hire(scenario, jobs);
}

// A timer behind a descriptor says how often it has expired since it was last read. Who counts
// reads falls behind whenever the machine is slow (timerfd_create(2)).
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/stream_end.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr std::uint64_t seconds = 3;

enum class counts { reads, expirations };

// A clock that takes a lock for each tick, which another process sometimes holds for long. How late
// it is, it judges by times that are over: between any two calls the machine may be slow.
void count_seconds(forkloom::ipc::mutex& face, counts what) {
  const forkloom::ipc::stream_end timer(::timerfd_create(CLOCK_MONOTONIC, 0));
  const itimerspec every_second{.it_interval = {.tv_sec = 1, .tv_nsec = 0},
                                .it_value = {.tv_sec = 1, .tv_nsec = 0}};
  timespec begin{};
  timespec now{};
  expect(that(::timerfd_settime(timer.native_handle(), 0, &every_second, nullptr)) == 0);
  ::clock_gettime(CLOCK_MONOTONIC, &begin);
  for (std::uint64_t shown = 0; shown < seconds;) {
    std::uint64_t expired = 0;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    expect(that(::read(timer.native_handle(), &expired, sizeof expired)) ==
           ssize_t{sizeof expired});
    shown += what == counts::reads ? 1 : expired;
    expect(now.tv_sec - begin.tv_sec <= static_cast<time_t>(shown) + 1);
    const std::scoped_lock guard{face};
  }
}

void run(forkloom::scenario& scenario, counts what) {
  auto& face = scenario.make<forkloom::ipc::mutex>("face");
  scenario.process("clock", [&face, what] { count_seconds(face, what); });
  scenario.process("painter", [&face] {
    const std::scoped_lock guard{face};
    ::sleep(seconds + 3);
  });
}

}  // namespace

FORKLOOM_SCENARIO("a clock that counts how often it read its timer",
                  "[timerfd][expectation][broken]", .expects = {violation_kind::expectation}) {
  run(scenario, counts::reads);
}

FORKLOOM_SCENARIO("a clock that counts how often its timer expired", "[timerfd][correct]") {
  run(scenario, counts::expirations);
}

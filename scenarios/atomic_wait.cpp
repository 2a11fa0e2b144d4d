// Processes that wait for a flag in shared memory. std::atomic's wait() and notify_all() are made
// for threads: libstdc++ keeps the waiters of a process in that process, and waits on a private
// futex, so what another process changes nobody is told of. The call itself, without the private
// flag, reaches everybody who maps the page (futex(2), FUTEX_PRIVATE_FLAG).
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "forkloom/scenario.hpp"

namespace {

constexpr unsigned prepares_us = 1'000;  // longer than wait() spins before it sleeps

}  // namespace

FORKLOOM_SCENARIO("processes that wait for a std::atomic", "[futex][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& flag = scenario.make<std::atomic<int>>("flag");
  scenario.process("waiter", [&] { flag.wait(0); });
  scenario.process("notifier", [&] {
    ::usleep(prepares_us);
    flag = 1;
    flag.notify_all();
  });
}

FORKLOOM_SCENARIO("processes that wait for a futex", "[futex][correct]") {
  auto& flag = scenario.make<std::atomic<int>>("flag");
  scenario.process("waiter", [&] {
    while (flag == 0) ::syscall(SYS_futex, &flag, FUTEX_WAIT, 0, nullptr);
  });
  scenario.process("notifier", [&] {
    ::usleep(prepares_us);
    flag = 1;
    ::syscall(SYS_futex, &flag, FUTEX_WAKE, 9);
  });
}

#include "tests/bench/futex_ring.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <stdexcept>

#include "framework/execution/sys.hpp"
#include "tests/bench/measure.hpp"

namespace forkloom::bench {
namespace {

namespace sys = execution::sys;

struct alignas(64) seat {
  std::atomic<std::uint32_t> token{0};
};

void take(seat& s) {
  while (s.token.load(std::memory_order_acquire) == 0) sys::futex_wait(s.token, 0);
  s.token.store(0, std::memory_order_relaxed);
}

void give(seat& s) {
  s.token.store(1, std::memory_order_release);
  sys::futex_wake(s.token);
}

}  // namespace

double futex_ring_seconds(unsigned processes, unsigned rounds) {
  const auto size = sizeof(seat) * (processes + 1);  // the last seat is the caller's
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* seats = static_cast<seat*>(memory);
  for (unsigned i = 0; i <= processes; ++i) new (seats + i) seat;
  for (unsigned i = 0; i < processes; ++i) {
    const auto pid = ::fork();
    if (pid < 0) throw std::runtime_error("cannot fork");
    if (pid > 0) continue;
    for (unsigned round = 0; round < rounds; ++round) {
      take(seats[i]);
      const bool last = round + 1 == rounds && i + 1 == processes;
      give(seats[last ? processes : (i + 1) % processes]);
    }
    ::_exit(0);
  }
  const auto took = seconds([&] {
    give(seats[0]);
    take(seats[processes]);
  });
  while (::waitpid(-1, nullptr, 0) > 0) continue;
  ::munmap(memory, size);
  return took / processes / rounds;
}

}  // namespace forkloom::bench

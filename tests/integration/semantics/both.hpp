// Each semantics test is declared once and run twice: natively, and under control in 20 schedules.
// A test that passes controlled and fails native is testing our imagination.
//
//   struct world : semantics::notes { sem_t s; world() { sem_init(&s, 1, 0); } };
//   semantics::both<world>({[](world& w) { w.note(0, sem_wait(&w.s)); },
//                           [](world& w) { w.note(1, sem_post(&w.s)); }});
//
// A world lies in shared memory and is made anew for each run. Each body is a process of its own.
// A world that holds descriptors says in forked() how the native parent gets rid of its copies;
// under control the controller does. The bodies must be arranged so that what they note does not
// depend on who is faster.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <iostream>
#include <new>
#include <ostream>
#include <vector>

#include "forkloom/scenario.hpp"
#include "framework/explore/campaign.hpp"
#include "tests/catch.hpp"

namespace forkloom::semantics {

// What the bodies observed.
struct notes {
  static constexpr long nothing = -999;
  static constexpr std::size_t capacity = 24;
  std::array<long, capacity> seen;

  notes() { seen.fill(nothing); }
  void note(std::size_t slot, long value) { seen.at(slot) = value; }

  // For calls that return -1 and set errno: the error number, or 0.
  void note_error(std::size_t slot, long result) { note(slot, result == -1 ? errno : 0); }
};

template <class World>
using body = void (*)(World&);

// A note with its slot, so that a failure tells which one differs.
struct noted {
  std::size_t slot;
  long value;

  bool operator==(const noted&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const noted& note) {
    return out << "slot " << note.slot << ": " << note.value;
  }
};

// The campaign's scenario is a plain function, so what it runs is kept here.
template <class World>
struct declared {
  static inline std::vector<body<World>> bodies;
  static inline std::array<long, notes::capacity> native;

  static void scenario_body(scenario& scenario) {
    auto& world = scenario.make<World>("world");
    for (const auto run : bodies) scenario.process("process", [&world, run] { run(world); });
    scenario.finally([&] {
      for (std::size_t i = 0; i < native.size(); ++i)
        expect(that(noted{i, world.seen[i]}) == noted{i, native[i]});
    });
  }
};

// A native process begins with the signal handlers of a fresh program, as a controlled one does,
// and not with those of the test runner.
inline void forget_signal_handlers() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
}

// What the native processes share. They pass the gate when all of them exist and the parent has
// got rid of its copies: a reader is not gone while the parent still has its end of the pipe.
template <class World>
struct natively {
  std::atomic<bool> gate = false;
  World world;

  void await_gate() const {
    while (!gate.load()) ::sched_yield();
  }
};

template <class World>
std::array<long, notes::capacity> run_natively(const std::vector<body<World>>& bodies) {
  using shared = natively<World>;
  void* place =
      ::mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(place != MAP_FAILED);
  auto* here = new (place) shared;
  auto* world = &here->world;
  std::vector<pid_t> children;
  // A body that calls exit() would write once more what is still buffered.
  std::cout.flush();
  std::fflush(nullptr);
  for (const auto run : bodies) {
    const auto child = ::fork();
    if (child == 0) {
      forget_signal_handlers();
      here->await_gate();
      run(*world);
      ::_exit(0);
    }
    children.push_back(child);
  }
  if constexpr (requires { world->forked(); }) world->forked();
  here->gate = true;
  for (const auto child : children) REQUIRE(::waitpid(child, nullptr, 0) == child);
  const auto seen = world->seen;
  here->~shared();
  ::munmap(place, sizeof(shared));
  return seen;
}

inline void require_as_expected(const explore::campaign_result& result) {
  INFO(result.message);
  for (const auto& f : result.findings)
    for (const auto& v : f.violations) UNSCOPED_INFO(v.message);
  for (const auto& line : result.uncontrolled) UNSCOPED_INFO(line);
  REQUIRE(result.how == explore::verdict::as_expected);
  REQUIRE(result.executions == 20);
}

// May the kernel end a process by a signal? Then the test itself looks at how they end.
enum class deaths : std::uint8_t { none, wanted };

// Runs the bodies both ways and requires the same notes. Returns the native ones, for the test to
// compare with what the manual promises.
template <class World>
std::array<long, notes::capacity> both(std::initializer_list<body<World>> bodies,
                                       deaths by_signal = deaths::none) {
  using here = declared<World>;
  here::bodies = bodies;
  here::native = run_natively<World>(here::bodies);
  scenario_info info{.name = "semantics",
                     .tags = {},
                     .file = __FILE__,
                     .line = __LINE__,
                     .body = &here::scenario_body,
                     .defaults = {}};
  info.defaults.strategy = "random";  // fair enough for every body
  info.defaults.executions = 20;
  info.defaults.checkers = {"expectation", "deadlock", "exit", "hang"};
  if (by_signal == deaths::none) info.defaults.checkers.emplace_back("crash");
  require_as_expected(explore::run_campaign(info, info.defaults));
  return here::native;
}

}  // namespace forkloom::semantics

// Loops that wait for shared memory.
#include <sched.h>
#include <unistd.h>

#include <atomic>

#include "tests/integration/memory/fixtures/variants.hpp"
#include "tests/integration/memory/traced.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

constexpr std::uint32_t one_second_us = 1'000'000;

// What wakes the loop: code that is instrumented.
void set(std::uint32_t* flag) { variants[0]->increment(flag); }

TEST_CASE("a loop that waits for a flag costs few steps, however long the others take") {
  for (const auto* code : variants)
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      INFO(code->name << ", seed " << seed);
      in_shared_memory<std::uint32_t> flag;
      in_shared_memory<std::uint64_t> work;
      const auto await = [&] { code->await(flag.get()); };
      const auto await_atomic = [&] { code->await_atomic(flag.get()); };
      const auto worker = [&] {
        for (int i = 0; i < 1000; ++i)
          code->increment(reinterpret_cast<std::uint32_t*>(work.get()));
        set(flag.get());
      };
      const auto what = trace_of({await, await_atomic, worker}, seed);
      CHECK(what.how == ending::finished);
      // 2,000 steps of work, 32 looks of each waiter before it is known for one, and one in 256
      // more.
      CHECK(what.steps < 2'200);
    }
}

TEST_CASE("a loop that waits stands behind time, too") {
  for (const auto* code : variants) {
    INFO(code->name);
    in_shared_memory<std::uint32_t> flag;
    const auto what = trace_of({[&] { code->await(flag.get()); },
                                [&] {
                                  ::usleep(one_second_us);
                                  set(flag.get());
                                }});
    CHECK(what.how == ending::finished);
    CHECK(what.steps < 1'100);  // a second has a million steps
  }
}

TEST_CASE("a loop around sched_yield() finds a change that nobody told") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    in_shared_memory<std::atomic<bool>> done;  // this file is not instrumented
    const auto what = trace_of({[&] {
                                  while (!done->load()) ::sched_yield();
                                },
                                [&] {
                                  ::usleep(one_second_us);
                                  done->store(true);
                                  for (int i = 0; i < 300; ++i) ::sched_yield();
                                }},
                               seed);
    CHECK(what.how == ending::finished);
    CHECK(what.steps < 2'000);
  }
}

TEST_CASE("a flag that nobody will set ends the execution at the limit of progress") {
  in_shared_memory<std::uint32_t> flag;
  const auto await = [&] { variants[0]->await(flag.get()); };
  const auto what = trace_of({await, await}, 1, {.progress_steps = 3'000});
  CHECK(what.how == ending::step_limit);
  CHECK(what.waits.empty());
}

TEST_CASE("a finite loop that looks like one that waits comes to its end") {
  in_shared_memory<std::uint32_t> never;
  const auto look = [&] {
    for (int i = 0; i < 5'000; ++i)
      static_cast<void>(variants[0]->relaxed_then_acquire(never.get()));
  };
  const auto what = trace_of({look, look});
  CHECK(what.how == ending::finished);
}

}  // namespace

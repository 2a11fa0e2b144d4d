#include "framework/execution/task_life.hpp"

#include <limits.h>
#include <pthread.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "framework/execution/call.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

// A thread ends after its thread_local objects and the destructors of its pthread keys: these run
// in rounds until no key has a value, or so many rounds are over. A key of our own keeps its value
// through all rounds but the last, and there the thread ends. It is made when the library is
// loaded: setting its value then takes no memory, because the first keys' values have a place.
struct end_of_thread {
  bool made = false;
  pthread_key_t key{};
};
constinit end_of_thread the_end;

void note_round(std::uintptr_t round) noexcept {
  const auto* value = reinterpret_cast<const void*>(round);  // NOLINT: keys keep pointers
  pthread_setspecific(the_end.key, value);
}

void end_round(void* value) noexcept {
  const auto round = reinterpret_cast<std::uintptr_t>(value);  // NOLINT: keys keep pointers
  if (round < PTHREAD_DESTRUCTOR_ITERATIONS)
    note_round(round + 1);
  else
    leave_thread();
}

[[gnu::constructor]] void make_key() noexcept {
  if (the_end.made) return;
  the_end.made = pthread_key_create(&the_end.key, end_round) == 0;
}

void watch_for_end() noexcept {
  if (the_end.made) note_round(1);
}

}  // namespace

void begin_life(task_id task) noexcept {
  auto& a = *current_arena();
  a[task].tid.store(static_cast<pid_t>(sys::call(SYS_gettid)));
  wait_for_token(a, task);
  become(task);
  signals::let_in(a, task);
  watch_for_end();
  controlled_call::silent(operation::start, no_resource, nullptr).completed(0);
}

void resume_life(task_id task) noexcept {
  auto& a = *current_arena();
  if (!the_end.made) make_key();  // this runs before the library's own constructors
  a[task].tid.store(static_cast<pid_t>(sys::call(SYS_gettid)));
  a.details[index(task)].thread.handle = pthread_self();
  become(task);
  watch_for_end();
}

void announce_exit() noexcept {
  auto& a = *current_arena();
  const auto process = a[self()].process;
  const auto parent = a[process].parent;
  const controlled_call point{operation::exit, children_of(a, parent), __builtin_return_address(0)};
  // What a program leaves to the kernel at its end is no leak of its: that is what an end is for.
  a[process].body_returned = a.details[index(process)].image == 0;
}

void leave_body(int code) noexcept {
  std::fflush(nullptr);
  if (controlled()) announce_exit();
  sys::call(SYS_exit_group, code);
  __builtin_unreachable();
}

void leave_main_thread() noexcept {
  if (is_last_of_process(*current_arena(), self())) leave_body(0);
  leave_thread();
  for (;;) sys::call(SYS_exit, 0);
}

void leave_thread() noexcept {
  if (!controlled()) return;
  auto& a = *current_arena();
  const auto me = self();
  controlled_call call{operation::thread_exit, thread_resource(a, me), __builtin_return_address(0)};
  call.completed(0);
  a[me].body_returned = true;
  if (is_last_of_process(a, me)) std::exit(0);
  thread_death(a, me);
  const auto next = choose(a, me, false);
  become(no_task);
  pass_token_at_end(a, next);
}

}  // namespace forkloom::execution

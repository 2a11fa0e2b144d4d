// pthreads: each thread that a task makes is a task of its own.
//
// Resource: a thread, which is its task. Owner: none. What pthreads say of it (who joins it,
// whether it is detached) is kept in its task_details. Blocks: a join, until the thread has ended;
// then the real join, which takes the value away. Releases: the end of a thread, after its
// thread_local objects and keys; see task_life.hpp. Attributes, stacks and thread-local memory are
// the real ones; creating a thread allocates them.
#include <pthread.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/task_life.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/sanitizer_runtime.hpp"
#include "framework/intercept/thread.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

using execution::arena;
using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::task_state;
using execution::wake;

constinit next<decltype(::pthread_create)> real_create{"pthread_create"};
constinit next<decltype(::pthread_detach)> real_detach{"pthread_detach"};
constinit next<decltype(::pthread_join)> real_join{"pthread_join"};
constinit next<decltype(::pthread_tryjoin_np)> real_tryjoin{"pthread_tryjoin_np"};
constinit next<decltype(::pthread_timedjoin_np)> real_timedjoin{"pthread_timedjoin_np"};
constinit next<decltype(::pthread_clockjoin_np)> real_clockjoin{"pthread_clockjoin_np"};

arena& this_arena() noexcept { return *execution::current_arena(); }

execution::thread_details& details_of(task_id task) noexcept {
  return this_arena().details[index(task)].thread;
}

// "<process>/t<n>" for its nth further thread.
class thread_name {
 public:
  thread_name(const arena& a, task_id process) noexcept {
    const std::string_view base(a.details[index(process)].name.data());
    constexpr std::size_t room_for_number = 7;
    const auto length = std::min(base.size(), text_.size() - room_for_number);
    auto* end = std::copy_n(base.begin(), length, text_.begin());
    unsigned number = 0;
    for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
      if (a.tasks[i].process == process) ++number;  // the main thread is the nought-th
    *end++ = '/';
    *end++ = 't';
    end = std::to_chars(end, text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }

  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 31> text_{};
  std::size_t size_ = 0;
};

bool starts_detached(const pthread_attr_t* attributes) noexcept {
  int state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) pthread_attr_getdetachstate(attributes, &state);
  return state == PTHREAD_CREATE_DETACHED;
}

// What the new thread runs. Cancellation and pthread_exit() unwind through it.
void* run(void* argument) {
  const auto task = task_id(reinterpret_cast<std::uintptr_t>(argument));  // NOLINT: a number
  execution::begin_life(task);
  const auto& start = details_of(task);
  auto* with = reinterpret_cast<void*>(start.argument);  // NOLINT: kept as a number
  if (!start.is_c11)
    return reinterpret_cast<void* (*)(void*)>(start.routine)(with);  // NOLINT: kept as a number
  const auto result = reinterpret_cast<int (*)(void*)>(start.routine)(with);  // NOLINT
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(result));  // NOLINT: as glibc does
}

// Does somebody wait for its end who was not cancelled meanwhile?
bool is_joined_by_another(const execution::thread_details& thread) noexcept {
  if (thread.joiner == no_task) return false;
  const auto& joiner = this_arena()[thread.joiner];
  return joiner.state != task_state::dead && joiner.pending == operation::thread_join;
}

// The error of joining that thread, 0 if the caller may wait for it. A second joiner, which POSIX
// leaves undefined, is refused; two threads that join each other wait for good, as with glibc.
int judge_join(task_id target) noexcept {
  const auto& thread = details_of(target);
  if (thread.detached) return EINVAL;
  if (target == execution::self()) return EDEADLK;
  return is_joined_by_another(thread) ? EINVAL : 0;
}

// No time at all is no limit, as glibc has it; one that is not valid never comes.
std::uint64_t deadline_of(clockid_t clock, const timespec* until) noexcept {
  return until == nullptr || !valid(*until) ? no_deadline : deadline_at(clock, *until);
}

// Waits for the end of a thread that may be joined.
int await_end(controlled_call& call, task_id target, std::uint64_t deadline_ns) noexcept {
  auto& thread = details_of(target);
  const auto resource = call.resource();
  thread.joiner = execution::self();
  while (this_arena()[target].state != task_state::dead) {
    if (call.block_on({&resource, 1}, deadline_ns, false) != wake::timed_out) continue;
    thread.joiner = no_task;
    return ETIMEDOUT;
  }
  return 0;
}

}  // namespace

task_id thread_of_handle(pthread_t handle) noexcept {
  const auto& a = this_arena();
  const auto process = a[execution::self()].process;
  for (auto i = a.schedule.task_count; i-- > 0;) {
    const auto& thread = a.details[i].thread;
    if (a.tasks[i].process != process || thread.handle != handle || thread.joined) continue;
    if (thread.detached && a.tasks[i].state == task_state::dead) continue;
    return task_id(i);
  }
  return no_task;
}

int create_thread(pthread_t* thread, const pthread_attr_t* attributes, const thread_start& start,
                  const void* site) noexcept {
  auto& a = this_arena();
  const auto creator = execution::self();
  controlled_call call{operation::thread_create, no_resource, site};
  if (const auto error = call.refusal(); error != 0) return call.failed_with(error);
  // The new thread begins with signals held back, until it is picked.
  execution::signals::hold(a, creator);
  const auto born = execution::thread_birth(a, creator, thread_name(a, a[creator].process).view());
  if (born == no_task) return call.failed_with(EAGAIN);
  auto& details = details_of(born);
  details.routine = start.routine;
  details.argument = reinterpret_cast<std::uintptr_t>(start.argument);  // NOLINT: as a number
  details.is_c11 = start.is_c11;
  details.detached = starts_detached(attributes);
  a[born].pid.store(a[creator].pid.load());
  int error = 0;
  {
    const execution::uncontrolled_section real;
    auto* number = reinterpret_cast<void*>(index(born));  // NOLINT: a number as an argument
    error = real_create(thread, attributes, run, number);
  }
  if (error != 0) {
    execution::unborn(a, born);
    return call.failed_with(error);
  }
  details.handle = *thread;
  call.concern(execution::thread_resource(a, born));
  return call.completed(0, details.detached ? 1 : 0, index(born));
}

int detach_thread(pthread_t handle, const void* site) noexcept {
  const auto target = thread_of_handle(handle);
  if (target == no_task) return real_detach(handle);
  controlled_call call{operation::thread_detach, execution::thread_resource(this_arena(), target),
                       site};
  auto& thread = details_of(target);
  // Somebody waits for it already: it will be joined. The real one does not know that yet.
  const bool joined = is_joined_by_another(thread);
  const auto result = joined ? 0 : real_detach(handle);
  if (result != 0) return call.failed_with(result);
  thread.detached = !joined;
  return call.completed(0, 0, index(target));
}

int join_thread(pthread_t handle, void** value, std::uint64_t deadline_ns,
                const void* site) noexcept {
  const auto target = thread_of_handle(handle);
  if (target == no_task) {
    execution::note_uncontrolled("pthread_join");
    return real_join(handle, value);
  }
  controlled_call call{operation::thread_join, execution::thread_resource(this_arena(), target),
                       site};
  if (const auto error = judge_join(target); error != 0) return call.failed_with(error);
  if (const auto error = await_end(call, target, deadline_ns); error != 0)
    return call.failed_with(error);
  details_of(target).joined = true;
  // The kernel cleans up after the thread before it says so to those who join it.
  const auto result = real_join(handle, value);
  return result == 0 ? call.completed(0, 0, index(target)) : call.failed_with(result);
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_clockjoin_np(pthread_t thread, void** value, clockid_t clock, const timespec* until) {
  if (!controlled()) return real_clockjoin(thread, value, clock, until);
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  return join_thread(thread, value, deadline_of(clock, until), __builtin_return_address(0));
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*routine)(void*),
                   void* argument) noexcept {
  const auto* site = __builtin_return_address(0);
  if (!controlled() || sanitizers_own_call(site))
    return real_create(thread, attributes, routine, argument);
  return create_thread(thread, attributes,
                       {reinterpret_cast<std::uintptr_t>(routine), argument, false},  // NOLINT
                       site);
}

int pthread_detach(pthread_t thread) noexcept {
  if (!controlled()) return real_detach(thread);
  return detach_thread(thread, __builtin_return_address(0));
}

int pthread_join(pthread_t thread, void** value) {
  if (!controlled()) return real_join(thread, value);
  return join_thread(thread, value, no_deadline, __builtin_return_address(0));
}

int pthread_timedjoin_np(pthread_t thread, void** value, const timespec* until) {
  if (!controlled()) return real_timedjoin(thread, value, until);
  return join_thread(thread, value, deadline_of(CLOCK_REALTIME, until),
                     __builtin_return_address(0));
}

int pthread_tryjoin_np(pthread_t thread, void** value) noexcept {
  if (!controlled()) return real_tryjoin(thread, value);
  const auto result = join_thread(thread, value, 0, __builtin_return_address(0));
  return result == ETIMEDOUT ? EBUSY : result;
}

}  // extern "C"

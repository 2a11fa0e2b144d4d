// One thing that happened in an execution, as it is written into the arena and read by the
// checkers.
#pragma once

#include <cstdint>
#include <type_traits>

#include "framework/trace/ids.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom {

enum class outcome : std::uint8_t {
  completed,  // the call returned; `result` and `error` say what
  blocked,    // the call would block: the task now waits for the resource
  timed_out,  // the wait ended by its deadline; the call then completes or tries once more
};

struct event {
  std::uint64_t step = 0;      // the pick that let it happen; several events may share one
  std::uint64_t clock_ns = 0;  // virtual time
  std::int64_t result = 0;     // the call's return value
  std::uint64_t before = 0;    // memory: the value read or replaced; descriptors: see the family
  std::uint64_t after = 0;     // memory: the value written
  std::uint64_t site = 0;      // the address that the call returns to
  resource_id resource = no_resource;
  resource_id second = no_resource;  // a second resource: the mutex of a condition wait, …
  std::uint32_t stack = 0;           // 1 + index of the recorded stack; 0 if none was taken
  std::int32_t error = 0;            // errno value of a failed call, else 0
  task_id task = no_task;
  operation op = operation::none;
  outcome how = outcome::completed;
};

// Did a call that went well only look?
//   - a call on a System V object. Its command is in `before`; of those that concern one object
//     IPC_RMID, IPC_SET, SETVAL and SETALL change it;
//   - a once routine that had been called before: then `before` is not 0.
[[nodiscard]] constexpr bool only_looked(const event& e) noexcept {
  if (e.op == operation::once) return e.before != 0;
  if (e.op != operation::semctl && e.op != operation::shmctl && e.op != operation::msgctl)
    return false;
  constexpr std::uint64_t ipc_set = 1;
  constexpr std::uint64_t set_value = 16;
  constexpr std::uint64_t set_all = 17;
  return e.before > ipc_set &&
         !(e.op == operation::semctl && (e.before == set_value || e.before == set_all));
}

// A read or write that moved no byte (the end of the data, an empty buffer) left the pipe as it
// was, whatever traits() say of the operation.
[[nodiscard]] constexpr bool moved_nothing(const event& e) noexcept {
  return (e.op == operation::read || e.op == operation::write) && e.result == 0;
}

// Does the call that takes a lock wait for a limited time only? Of all such calls but those on
// files, which have no time-out, `before` is 1 if so.
[[nodiscard]] constexpr bool waits_for_limited_time(const event& e) noexcept {
  switch (e.op) {
    case operation::mutex_lock:
    case operation::rwlock_rdlock:
    case operation::rwlock_wrlock:
    case operation::sem_wait:
      return e.before != 0;
    default:
      return false;
  }
}

static_assert(std::is_trivially_copyable_v<event>);

}  // namespace forkloom

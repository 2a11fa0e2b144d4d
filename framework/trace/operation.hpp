// The operations that Forkloom schedules, and what each one means to those that read a trace.
#pragma once

#include <cstdint>
#include <string_view>

namespace forkloom {

// One call or memory access that another task could notice. The numbers are part of the trace hash:
// append, never reorder.
enum class operation : std::uint8_t {
  none,
  // life of a task
  start,
  exit,
  fork,
  wait_child,
  kill,
  // memory declared with shared<T>
  load,
  store,
  modify,
  // pthread mutex and condition variable
  mutex_init,
  mutex_lock,
  mutex_trylock,
  mutex_unlock,
  mutex_consistent,
  mutex_destroy,
  cond_init,
  cond_wait,
  cond_signal,
  cond_broadcast,
  cond_destroy,
  // POSIX semaphores
  sem_init,
  sem_open,
  sem_wait,
  sem_trywait,
  sem_post,
  sem_getvalue,
  sem_close,
  sem_unlink,
  sem_destroy,
  // descriptors, pipes, FIFOs
  pipe,
  mkfifo,
  open,
  read,
  write,
  close,
  dup,
  poll,
  unlink,
  // shared memory objects and mappings
  shm_open,
  shm_unlink,
  map,
  unmap,
  // time
  yield,
  sleep,
  clock_read,
  // what the scenario itself tells: a logical resource is asked for, granted, given back
  request,
  grant,
  give_back,
  // a failed expectation, at the place where it happened
  expect,
  count_,
};

// What an operation does to its resource when it completes without an error.
struct operation_traits {
  std::string_view name;
  bool
      acquires;  // takes the resource, or takes something out of it: ordered after what released it
  bool releases;  // gives the resource back, or puts something in: ordered before what acquires it
  bool
      changes;  // leaves the resource different, so it counts as progress and conflicts with others
};

[[nodiscard]] const operation_traits& traits(operation op) noexcept;
[[nodiscard]] inline std::string_view name(operation op) noexcept { return traits(op).name; }

// What a resource is. Part of its default name ("mutex 2").
enum class resource_kind : std::uint8_t {
  unknown,
  memory,
  mutex,
  condition,
  semaphore,
  pipe,
  fifo,
  file,
  shared_memory,
  process,
  logical,
  count_,
};

[[nodiscard]] std::string_view name(resource_kind kind) noexcept;

}  // namespace forkloom

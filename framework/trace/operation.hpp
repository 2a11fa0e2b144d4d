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
  // pthread read-write lock, barrier, spin lock
  rwlock_init,
  rwlock_rdlock,
  rwlock_tryrdlock,
  rwlock_wrlock,
  rwlock_trywrlock,
  rwlock_unlock,
  rwlock_destroy,
  barrier_init,
  barrier_wait,
  barrier_destroy,
  spin_init,
  spin_lock,
  spin_trylock,
  spin_unlock,
  spin_destroy,
  // POSIX message queues
  mq_open,
  mq_send,
  mq_receive,
  mq_attributes,
  mq_notify,
  mq_close,
  mq_unlink,
  // System V shared memory, semaphores, message queues
  shmget,
  shmat,
  shmdt,
  shmctl,
  semget,
  semop,
  semctl,
  msgget,
  msgsnd,
  msgrcv,
  msgctl,
  // sockets
  socket,
  bind,
  listen,
  accept,
  connect,
  send,
  receive,
  shutdown,
  socket_option,
  // locks on files
  flock,
  file_unlock,
  record_lock,
  record_trylock,
  record_unlock,
  // waiting for many descriptors
  select,
  epoll_control,
  epoll_wait,
  eventfd,
  timerfd,
  // threads
  thread_create,
  thread_join,
  thread_exit,
  thread_detach,
  // signals
  signal_send,
  signal_deliver,
  signal_wait,
  signal_action,
  signal_mask,
  // programs and names
  exec,
  rename,
  link,
  // futexes
  futex_wait,
  futex_wake,
  // locks on files, and names in directories
  record_query,
  mkdir,
  // threads
  thread_cancel,
  once,
  // waiting for many descriptors
  epoll_create,
  timer_set,
  // files as memory
  truncate,
  memfd,
  // a memory fence
  fence,
  // timers that end in a signal
  timer,
  // a block that the program says is atomic
  enter_block,
  leave_block,
  // what befalls a task: see fault.hpp
  fault,
  // a message that the program numbers: see forkloom/messages.hpp
  message_sent,
  message_handled,
  // a look at a name in a directory
  look,
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
  rwlock,
  barrier,
  spin_lock,
  message_queue,
  system_v_memory,
  system_v_semaphore,
  system_v_queue,
  socket,
  event_source,
  thread,
  signal,
  futex,
  file_lock,
  record_lock,
  directory_entry,
  system_v_key,
  once,
  count_,
};

[[nodiscard]] std::string_view name(resource_kind kind) noexcept;

}  // namespace forkloom

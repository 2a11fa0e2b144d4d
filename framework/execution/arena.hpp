// The arena: the one shared mapping through which the tasks of an execution are controlled. It
// knows layout and nothing else. It is mapped before the first fork, at the same address in every
// process of the execution (also in programs that tasks execute, which map it anew), and reset for
// each execution. Whoever holds the token may write it; the
// others sleep. The few words that are touched without the token are atomics and say so.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "forkloom/timeout_policy.hpp"
#include "framework/execution/journal.hpp"
#include "framework/execution/mailbox.hpp"
#include "framework/execution/resource_table.hpp"
#include "framework/execution/task_set.hpp"
#include "framework/strategy/strategy.hpp"
#include "framework/trace/fault.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::execution {

inline constexpr std::size_t stack_capacity = std::size_t{1} << 16;
inline constexpr std::size_t stack_depth = 32;
inline constexpr std::size_t failure_capacity = 16;
inline constexpr std::size_t named_range_capacity = 1024;
inline constexpr std::size_t uncontrolled_capacity = 16;
inline constexpr std::size_t wait_capacity = 16;
inline constexpr std::size_t interest_capacity = 2048;
inline constexpr std::uint64_t no_deadline = ~std::uint64_t{0};

// The kernel maps the neighbours of a page that is read, within aligned windows of this size
// (fault_around_bytes in the kernel's documentation of debugfs, 64 KiB unless changed).
inline constexpr std::size_t fault_window = 64 * 1024;

// Virtual time starts here in every execution, so that even printed dates are the same.
inline constexpr std::uint64_t clock_start_ns = 1'000'000'000'000;  // monotonic: 1,000 s
inline constexpr std::uint64_t realtime_offset_ns = 1'700'000'000'000'000'000;  // 2023-11-14
inline constexpr std::uint64_t step_duration_ns = 1'000;

// A set of signals as the kernel writes it: bit n - 1 is signal n.
using signal_set = std::uint64_t;

enum class task_state : std::uint8_t { unused, ready, blocked, dead };

// Why a blocked task got the token back. The last two mean that a handler of a signal has run
// meanwhile: interrupted, that the call fails with EINTR if it can; restarted, that it does so only
// if it is one of those that SA_RESTART does not restart.
enum class wake : std::uint8_t { retry, timed_out, interrupted, restarted };

// What a step touches of a task: one line of the cache. The rest is in task_details.
struct alignas(64) task {
  std::atomic<std::uint32_t> token{0};  // futex word: see wait_for_token()
  std::atomic<pid_t> pid{0};            // written by the parent and by the child itself
  std::atomic<pid_t> tid{0};            // the kernel's thread, written by the thread itself
  std::atomic<bool> died{false};        // set by the controller without the token; see scheduler
  task_state state = task_state::unused;
  wake cause = wake::retry;
  bool retryable = false;  // a blocked task that a death of anybody may unblock
  bool body_returned = false;
  bool process_ended = false;  // of the task that is its process: all its threads are gone
  bool stopped = false;        // by SIGSTOP or its like: not enabled, whatever its state
  task_id parent = no_task;    // the process that forked it; the thread that made it
  task_id process = no_task;   // the task that is its process's main thread; maybe itself
  operation pending = operation::none;
  resource_id pending_resource = no_resource;
  std::uint32_t blocked_event = 0;  // number of the event that says it blocked
  int wait_status = 0;              // as from waitpid(2), once dead
  std::uint64_t deadline_ns = no_deadline;
  journal_writer writer;
  // See signals.hpp.
  bool catches_signals = false;  // it has ever had a handler, so it sleeps with signals held back
  bool held = false;             // the kernel holds all signals back from it now
  bool attention = false;        // something may be pending that it does not block
  bool mask_is_temporary = false;
  signal_set mask = 0;  // what it blocks itself; up to date while it does not run
};
static_assert(sizeof(task) == 64);

// A timer of a process: alarm and setitimer have one, timer_create makes more. Once due it rests
// until its signal has been accepted, as the kernel's own do; what it missed is its overrun.
struct timer {
  enum class sort : std::uint8_t { unused, real_interval, posix };
  sort is = sort::unused;
  bool due = false;
  bool queued = false;  // its signal is pending in the kernel
  bool silent = false;  // it expires without a signal (SIGEV_NONE)
  bool of_real_time = false;
  task_id process = no_task;
  task_id thread = no_task;  // no_task: any of the process
  int signal = 0;
  int id = 0;
  std::uint32_t overrun = 0;  // of the signal that was accepted last
  std::uint64_t value = 0;
  std::uint64_t deadline_ns = no_deadline;
  std::uint64_t expired_ns = 0;
  std::uint64_t interval_ns = 0;
};
inline constexpr std::size_t timer_capacity = 256;

// What a process does with signals, other than the default.
struct signal_actions {
  signal_set caught = 0;
  signal_set ignored = 0;
};

// A wait for a record lock, as the kernel's search for circles of waiting processes knows it: who
// waits for whom. It lasts until the one who waits has tried again in vain, or the lock that was in
// the way is gone.
struct record_wait {
  pid_t owner = 0;    // 0: the task waits for none; or for one that an open file will own
  pid_t blocker = 0;  // who owns the first lock that is in the way; -1: an open file
  resource_id locks = no_resource;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// What a task is as a thread, in the terms of pthreads.
struct thread_details {
  std::uint64_t handle = 0;   // its pthread_t
  std::uint64_t routine = 0;  // what it runs, and with what argument; not for main threads
  std::uint64_t argument = 0;
  task_id joiner = no_task;  // who waits for its end
  bool is_c11 = false;       // the routine returns an int
  bool detached = false;
  bool joined = false;
};

struct task_details {
  std::uint8_t wait_count = 0;
  std::array<resource_id, wait_capacity> waits{};
  record_wait record;
  std::uint64_t awaited_part = 0;  // what in the resource it waits for, in the family's own terms
  thread_details thread;
  // Of a process.
  static constexpr int spawn_pending = -1;
  std::uint16_t image = 0;            // counts the programs that it has executed
  std::uint64_t random_count = 0;     // counts the random numbers that it has had
  int parent_death_signal = 0;        // what it wishes to get when its parent dies; 0: nothing
  int spawn_outcome = spawn_pending;  // of posix_spawn's exec: 0 or an error number
  signal_actions actions;             // of the process, with its first task
  signal_set awaited = 0;             // what its sigwait takes
  signal_set own_mask = 0;            // what it blocks when its temporary mask is gone
  int death_due = 0;  // the signal that ends the process, which is stopped, when it goes on
  resource_id disturbed_at = no_resource;  // what it waited for when a signal came
  bool timeout_ignored = false;            // it waits longer than it was told to
  std::array<char, 32> name{};
};

struct failure {
  failure_record::what kind = failure_record::what::expectation;
  task_id task = no_task;
  std::uint32_t line = 0;
  std::uint64_t step = 0;
  std::array<char, 160> file{};
  std::array<char, 256> text{};
};

// Memory that the scenario gave a name: resources found in it are called after it.
struct named_range {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::array<char, resource_name_size> name{};
};

// A call that passed although Forkloom should schedule it, and where it was made: the innermost
// frames of its stack. `event`: how many events there were before.
struct uncontrolled_call {
  std::array<char, 128> name{};
  task_id task = no_task;
  std::uint32_t event = 0;
  std::uint64_t site = 0;
  std::array<std::uint64_t, 16> stack{};
};

// One descriptor that an epoll watches. The kernel forgets it when the last descriptor of the open
// file is closed; here it stays until somebody waits for the epoll after a close.
struct epoll_interest {
  resource_id epoll = no_resource;
  resource_id target = no_resource;  // no_resource: something that Forkloom does not schedule
  int descriptor = -1;
  std::uint32_t events = 0;
  std::uint64_t data = 0;  // what epoll_wait(2) tells of it
};

// A connection by TCP that its program did not wait for, to a listener that had no room. The kernel
// would try again by the clock on the wall.
struct waiting_connection {
  resource_id socket = no_resource;
  resource_id listener = no_resource;
  std::uint32_t living = 0;  // tasks, when it was tried last
  std::uint32_t address_size = 0;
  std::array<std::byte, 28> address{};  // of the listener: the longest is a sockaddr_in6
};
inline constexpr std::size_t waiting_connection_capacity = 128;

struct schedule_state {
  task_set enabled;
  task_set waiting_for_any;  // they wait for more resources than a task can list: any change wakes
  task_set watchers;         // they wait for what Forkloom does not see: any step of others wakes
  task_set spinners;         // they saw the same again and again: they run when nobody else can
  task_id running = no_task;
  std::uint32_t living = 0;      // tasks that were born and are not dead
  std::uint32_t task_count = 0;  // slots in use, dead ones included
  std::uint64_t step = 0;
  std::uint64_t switches = 0;
  std::uint64_t since_progress = 0;
  std::uint64_t clock_ns = clock_start_ns;
  std::uint64_t next_deadline_ns = no_deadline;  // never later than the earliest one
  std::uint64_t hash = 0;
  double choices_log2 = 0;        // see trace::choices_log2
  fault_set faults = 0;           // kinds that may still happen; see faults.hpp
  std::uint32_t timer_count = 0;  // slots in use, deleted ones included
  task_id stop_due = no_task;     // it stops itself: whoever runs next carries it out
  int stop_signal = 0;
  std::atomic<bool> ended{false};  // nobody runs any more; `how` says why
  ending how = ending::finished;
};

struct settings {
  std::uint64_t progress_limit = 20'000;  // steps since the last progress
  std::uint64_t step_limit = 900'000;     // steps in all; the journal holds as many
  bool record_stacks = false;
  std::uint64_t random_seed = 0;  // of the random bytes that tasks get from the system
  fault_plan faults;
  timeout_policy timeouts = timeout_policy::idle;
};

// What has become of the faults that an execution may have.
struct fault_state {
  std::array<std::uint8_t, fault_kind_count> left{};
  std::array<std::uint32_t, fault_kind_count> chances{};  // where each might have happened
  std::array<std::uint32_t, fault_kind_count> one_in{};   // how rare each is in this execution
  task_set stopped;                                       // processes that are to go on some time
};

// A descriptor that an exec closes.
struct closed_by_exec {
  int descriptor = -1;
  resource_id resource = no_resource;
};

// A file mapped by a program that a task executed: what addresses in it mean.
struct module_record {
  task_id task = no_task;
  std::uint32_t since_event = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t bias = 0;   // address minus the address in the file
  bool was_loaded = false;  // while the program ran, so those before it stay
  std::array<char, 231> path{};
};

// How a program that a task executes comes back to the arena (see program.hpp), and what the old
// image of the process leaves to the new one.
struct re_entry {
  int memory_fd = -1;                  // the arena's own memory, in the controller
  std::array<char, 40> memory_path{};  // the same from outside: "/proc/1/fd/4"
  std::array<char, 4096> library{};    // the interception library; empty: programs cannot follow
  resource_id program = no_resource;   // that is being executed, and the address of the call
  std::uint64_t site = 0;
  std::uint32_t closed_count = 0;
  std::array<closed_by_exec, 1024> closed{};
  std::uint32_t module_count = 0;
  std::array<module_record, 2048> modules{};
};

// An explicit schedule that is replayed. It lies here, because a program that a task executes
// shares nothing else with the controller.
struct script_memory {
  std::array<scheduled_pick, schedule_steps_max> picks;
  std::array<scheduled_draw, schedule_draws_max> draws;
};

// What a systematic strategy notes at each step.
struct choice_memory {
  std::array<choice_record, 900'000> records;
};

struct arena {
  settings config;
  schedule_state schedule;
  mailbox controller;
  journal log;
  journal_writer nobody;  // writes the picks that no task makes

  std::uint32_t stack_count = 0;
  std::uint32_t failure_count = 0;
  std::uint32_t named_range_count = 0;
  std::uint32_t interest_count = 0;
  std::uint32_t waiting_connection_count = 0;
  std::uint32_t close_count = 0;  // of descriptors, and of processes that died with all of theirs
  std::uint32_t uncontrolled_count = 0;

  // What each step touches lies together: every page more costs each task a fault, and each switch
  // a look into the page tables. A forked task maps the whole neighbourhood with its first read.
  strategy::state strategy;
  std::array<task, task_capacity> tasks;
  resource_table resources;

  fault_state faults;

  alignas(fault_window) std::array<journal_page, journal_page_capacity> log_pages;
  std::array<task_details, task_capacity> details;
  std::array<timer, timer_capacity> timers;
  signal_actions inherited_actions;  // of the controller, which its tasks are born with
  std::array<failure, failure_capacity> failures;
  std::array<named_range, named_range_capacity> named_ranges;
  re_entry programs;
  std::array<uncontrolled_call, uncontrolled_capacity> uncontrolled;
  std::array<epoll_interest, interest_capacity> interests;
  std::array<waiting_connection, waiting_connection_capacity> waiting_connections;
  std::array<std::array<std::uint64_t, stack_depth>, stack_capacity> stacks;
  script_memory script;
  choice_memory choices;

  [[nodiscard]] task& operator[](task_id id) noexcept { return tasks[index(id)]; }
  [[nodiscard]] const task& operator[](task_id id) const noexcept { return tasks[index(id)]; }

  [[nodiscard]] journal_writer& writer(task_id id) noexcept {
    return id == no_task ? nobody : tasks[index(id)].writer;
  }

  // Forgets the last execution; keeps config, strategy and mailbox. Touches only what was used.
  void reset() noexcept;
};

// The arena of the execution that this process belongs to, or null outside of one: the only global
// mutable state of the interception library. Set before the first fork, cleared after the last.
[[nodiscard]] arena* current_arena() noexcept;
void set_current_arena(arena* value) noexcept;

// Maps an arena; null if there is no memory. Its pages come to life as they are touched.
[[nodiscard]] arena* map_arena() noexcept;
void unmap_arena(arena* value) noexcept;

// Maps the arena whose memory that path leads to at the address that it has everywhere. Returns 0,
// or the error number: EEXIST if something else lies there.
[[nodiscard]] int attach_arena(const char* memory_path, std::uint64_t address) noexcept;

}  // namespace forkloom::execution

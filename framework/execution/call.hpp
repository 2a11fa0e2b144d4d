// What an interception family builds a controlled call from. The order is always the same:
//
//   if (!controlled()) return real_sem_wait(s);                  // outside of an execution
//   controlled_call call{operation::sem_wait, resource, site};   // the scheduling point
//   while (real_sem_trywait(s) != 0) {                           // a real, non-blocking attempt
//     if (errno != EAGAIN) return call.failed(errno);
//     if (call.block(deadline) == wake::timed_out) return call.failed(ETIMEDOUT);
//   }
//   return call.completed(0);                                    // the event is written
//
// Everything here is async-signal-safe: no allocation, no locks, errno untouched except by
// failed(). All functions are for the calling thread; they require that controlled() has said yes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "framework/execution/arena.hpp"
#include "framework/execution/trap.hpp"

namespace forkloom::execution {

// The task that the calling thread is; no_task outside of an execution and in the controller.
[[nodiscard]] task_id self() noexcept;

// Makes the calling thread that task. Called once, in the child, after the fork. From then on
// system calls that pass no intercepted symbol trap; where the kernel cannot do that, it is noted.
void become(task_id task) noexcept;

// Is this thread a task, and not inside Forkloom's own code already?
[[nodiscard]] bool controlled() noexcept;

// Takes the value of a store that was announced with completes_by_itself(). To be called before the
// memory may go away.
void settle_store() noexcept;

// While one lives, this thread's calls pass straight through, trapped ones too.
class uncontrolled_section {
 public:
  uncontrolled_section() noexcept;
  ~uncontrolled_section();
  uncontrolled_section(const uncontrolled_section&) = delete;
  uncontrolled_section& operator=(const uncontrolled_section&) = delete;

 private:
  trap_pause traps_;
  bool before_;
};

// While one lives, events of this thread tell that call site: it is served for somebody.
class called_from {
 public:
  explicit called_from(const void* site) noexcept;
  ~called_from();
  called_from(const called_from&) = delete;
  called_from& operator=(const called_from&) = delete;

 private:
  const void* before_;
};

// While one lives, what the real functions do does not trap.
class controlled_call {
 public:
  // Records what the task is about to do and gives the token up; returns when the task is picked.
  // site: the address that the intercepted call returns to.
  controlled_call(operation op, resource_id resource, const void* site) noexcept;

  // Without a scheduling point: for a call that only says what happened (a descriptor was made).
  static controlled_call silent(operation op, resource_id resource, const void* site) noexcept;

  // Waits until the call's resource changes, or until the deadline (virtual monotonic time, in
  // nanoseconds). A deadline that has passed returns timed_out at once. If a signal has come since
  // the call began to wait, the handler runs first, and there is no waiting: see wake.
  wake block(std::uint64_t deadline_ns = no_deadline) noexcept;

  // The same for any one of several resources, or for none but the deadline.
  // retryable: whether any task's death may unblock it; false for what only the model can unblock.
  wake block_on(std::span<const resource_id> resources, std::uint64_t deadline_ns,
                bool retryable = true) noexcept;

  // The same, when something that Forkloom does not schedule may also let the call go on: what
  // other tasks do to it shows in no event, so the call tries again after each step of theirs.
  // Notes that this was not under control.
  wake watch(std::span<const resource_id> resources, std::uint64_t deadline_ns) noexcept;

  // Lets in a signal that has come since the call began to wait, as block() does, but waits for
  // nothing: retry, if none has.
  wake meet_signals() noexcept;

  // Under that mask, which takes the place of the task's own until the call ends, as in ppoll(2).
  void mask_signals(signal_set mask) noexcept;

  // Writes the event of a call that succeeded; waiters of the resource are woken if the operation
  // changes it. Returns `result`, for return statements.
  template <class Result>
  Result completed(Result result) noexcept {
    finish(static_cast<std::int64_t>(result), 0, before_, after_, effect::wakes);
    return result;
  }
  template <class Result>
  Result completed(Result result, std::uint64_t before, std::uint64_t after = 0) noexcept {
    finish(static_cast<std::int64_t>(result), 0, before, after, effect::wakes);
    return result;
  }

  // The same, when no waiter may go on, or the family itself has enabled those that may (a signal
  // wakes one).
  template <class Result>
  Result completed_without_waking(Result result) noexcept {
    finish(static_cast<std::int64_t>(result), 0, before_, after_, effect::progress);
    return result;
  }
  template <class Result>
  Result completed_without_waking(Result result, std::uint64_t before) noexcept {
    finish(static_cast<std::int64_t>(result), 0, before, 0, effect::progress);
    return result;
  }

  // The same for a call that left everything as it was (it found the end of the data, or nobody to
  // wait for): no waiter is woken, and a loop around it is no progress.
  template <class Result>
  Result completed_unchanged(Result result) noexcept {
    finish(static_cast<std::int64_t>(result), 0, before_, after_, effect::none);
    return result;
  }

  // Writes the event of a store that the program makes as soon as the call has returned, which it
  // does at once: the value is taken from `place` when the task next does anything that others may
  // notice, and before any of them runs. A task that dies in between leaves an event that tells the
  // old value twice.
  void completes_by_itself(std::int64_t result, const void* place, std::size_t size) noexcept;

  // Writes the event of a call that failed; no waiter is woken. failed() sets errno and returns -1,
  // failed_with() returns the error number, as pthread functions do.
  int failed(int error) noexcept;
  int failed_with(int error) noexcept;

  // A second resource of the event: the mutex of a condition wait, the FIFO that a path named.
  void involve(resource_id second) noexcept { second_ = second; }

  // The resource, if it is known only after the call (a new pipe, a child).
  void concern(resource_id resource) noexcept { resource_ = resource; }

  // What the call asks for, in two numbers that the family gives a meaning. All its events carry
  // them, also those that say that it blocked or failed.
  void asks(std::uint64_t before, std::uint64_t after) noexcept {
    before_ = before;
    after_ = after;
  }

  // Faults; see faults.hpp. All of them are asked before the call has done anything. What must be
  // found out before it is asked costs nothing if it is found out only where one is possible.
  [[nodiscard]] static bool possible(fault_kind kind) noexcept {
    return faults_possible(only(kind));
  }

  // The error that a fault lets the call fail with, of those that the table has for its operation;
  // 0: none does. but_not: those that it cannot have as it is made.
  [[nodiscard]] int refusal(fault_set but_not = 0) noexcept {
    return faults_possible(error_faults & ~but_not) ? draw_refusal(but_not) : 0;
  }

  // How much of a transfer of so many bytes a fault lets pass: all of it, if none happens. The call
  // is one that may transfer a part.
  [[nodiscard]] std::size_t part_of(std::size_t size) noexcept {
    return size > 1 && possible(fault_kind::partial) ? draw_part(size) : size;
  }

  // Has a fault left no room for what the call puts in? The call is one that may find none.
  [[nodiscard]] bool finds_no_room() noexcept {
    return possible(fault_kind::full) && strikes(fault_kind::full);
  }

  // The call may not be interrupted, although its operation may be.
  void goes_on_after_signals() noexcept { interruptible_ = false; }

  // The last wait ended by a spurious wake-up.
  [[nodiscard]] bool woken_for_nothing() const noexcept { return woken_for_nothing_; }

  // The deadline as the policy of time-outs has it: no_deadline for one that shall not come. To be
  // asked by calls whose deadline is that of a timer, too; they wait until_timer.
  [[nodiscard]] std::uint64_t time_limit(std::uint64_t deadline_ns) noexcept;
  void until_timer() noexcept { keeps_deadline_ = true; }

  // Gives the token up once more, as at the start.
  void yield_again() noexcept;

  [[nodiscard]] resource_id resource() const noexcept { return resource_; }

 private:
  struct no_point {};
  enum class effect : std::uint8_t { none, progress, wakes };
  controlled_call(no_point, operation op, resource_id resource, const void* site) noexcept;
  void finish(std::int64_t result, int error, std::uint64_t before, std::uint64_t after,
              effect has) noexcept;
  void record(std::int64_t result, int error, std::uint64_t before, std::uint64_t after,
              effect has) noexcept;
  wake wait(std::span<const resource_id> resources, std::uint64_t deadline_ns, bool retryable,
            bool watches) noexcept;

  static constexpr fault_set error_faults = only(fault_kind::eagain) | only(fault_kind::enospc) |
                                            only(fault_kind::emfile) | only(fault_kind::enomem);
  [[nodiscard]] static bool faults_possible(fault_set kinds) noexcept {
    return (current_arena()->schedule.faults & kinds) != 0;
  }
  bool strikes(fault_kind kind) noexcept;
  int draw_refusal(fault_set but_not) noexcept;
  std::size_t draw_part(std::size_t size) noexcept;
  std::optional<wake> draw_end_of_wait(resource_id awaited, std::size_t count) noexcept;

  trap_pause traps_;
  operation op_;
  resource_id resource_;
  resource_id second_ = no_resource;
  const void* site_;
  std::uint64_t before_ = 0;
  std::uint64_t after_ = 0;
  bool interruptible_ = true;
  bool keeps_deadline_ = false;
  bool has_waited_ = false;
  bool woken_for_nothing_ = false;
};

// Does a fault let that call fail, which makes no scheduling point? Then its event is written, and
// errno set. False outside of an execution.
[[nodiscard]] bool refused(operation op, const void* site, fault_set but_not = 0) noexcept;

// A number that stands for `size` bytes: the bytes themselves up to eight, else a hash of them.
[[nodiscard]] std::uint64_t digest(const void* bytes, std::size_t size) noexcept;

// Who holds the resource now, for kinds that have owners.
void set_owner(resource_id resource, task_id owner) noexcept;

// The resource changed by other means than the completion of a call on it: its waiters may retry.
void changed(resource_id resource) noexcept;

// A call that Forkloom should schedule and does not passed through; the report will name it, and
// the user's line that made it. site: where it returns to; one place is told once.
void note_uncontrolled(const char* call, const void* site = nullptr) noexcept;

// A number in [0, bound) from the strategy, for choices that are not tasks. Requires bound > 0.
// What 0 means must be the undisturbed course: the first waiter, no fault, all that was asked for.
[[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept;

// Whether something that disturbs happens: once in so many times, if the strategy is random. 0:
// never, which is not even a draw. It is drawn and recorded as 0 or 1.
[[nodiscard]] bool chance(std::uint64_t one_in) noexcept;

// Virtual time. Monotonic clocks read now_ns(); real time is realtime_offset_ns later.
[[nodiscard]] std::uint64_t now_ns() noexcept;

}  // namespace forkloom::execution

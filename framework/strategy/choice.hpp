// What a strategy is asked.
#pragma once

#include <cstdint>

#include "framework/execution/task_set.hpp"
#include "framework/trace/ids.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom::strategy {

// Would it matter which of two tasks goes first? The pending operations of both are known to
// whoever asks the strategy, who answers; without an answer nothing conflicts.
class dependence {
 public:
  using question = bool (*)(const void* context, task_id one, task_id other) noexcept;

  dependence() noexcept = default;
  dependence(question ask, const void* context) noexcept : ask_(ask), context_(context) {}

  bool operator()(task_id one, task_id other) const noexcept {
    return ask_ != nullptr && ask_(context_, one, other);
  }

 private:
  question ask_ = nullptr;
  const void* context_ = nullptr;
};

// What is the pending operation of a task about? A number that means the same in every execution of
// a scenario (stable_label() of the resource); 0 for an operation that touches no resource.
class subject {
 public:
  using question = std::uint32_t (*)(const void* context, task_id task) noexcept;

  subject() noexcept = default;
  subject(question ask, const void* context) noexcept : ask_(ask), context_(context) {}

  std::uint32_t operator()(task_id task) const noexcept {
    return ask_ == nullptr ? 0 : ask_(context_, task);
  }

 private:
  question ask_ = nullptr;
  const void* context_ = nullptr;
};

// What a task is about to do, known to whoever asks the strategy.
struct pending_operation {
  operation op = operation::none;
  resource_kind kind = resource_kind::unknown;
  resource_id resource = no_resource;
  bool timed = false;                  // it waits, and not for longer than until some time
  bool expired = false;                // it waited, and its time has come
  task_id process = no_task;           // that makes it
  resource_id children = no_resource;  // of an end: stands for the process's, if it has made any
};

class announcements {
 public:
  using question = pending_operation (*)(const void* context, task_id task) noexcept;

  announcements() noexcept = default;
  announcements(question ask, const void* context) noexcept : ask_(ask), context_(context) {}

  pending_operation operator()(task_id task) const noexcept {
    return ask_ == nullptr ? pending_operation{} : ask_(context_, task);
  }

 private:
  question ask_ = nullptr;
  const void* context_ = nullptr;
};

struct choice {
  const execution::task_set& enabled;  // never empty
  task_id
      current;  // who had the token; no_task at the very start and after a death; may be disabled
  bool yields;  // current says that it cannot go on usefully (sched_yield)
  dependence conflict = {};    // of the pending operations of two tasks
  subject about = {};          // of a task's pending operation
  announcements pending = {};  // of any task that was born
};

}  // namespace forkloom::strategy

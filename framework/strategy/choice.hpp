// What a strategy is asked.
#pragma once

#include <cstdint>

#include "framework/execution/task_set.hpp"
#include "framework/trace/ids.hpp"

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

struct choice {
  const execution::task_set& enabled;  // never empty
  task_id
      current;  // who had the token; no_task at the very start and after a death; may be disabled
  bool yields;  // current says that it cannot go on usefully (sched_yield)
  dependence conflict = {};  // of the pending operations of two tasks
  subject about = {};        // of a task's pending operation
};

}  // namespace forkloom::strategy

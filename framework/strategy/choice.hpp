// What a strategy is asked.
#pragma once

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

struct choice {
  const execution::task_set& enabled;  // never empty
  task_id
      current;  // who had the token; no_task at the very start and after a death; may be disabled
  bool yields;  // current says that it cannot go on usefully (sched_yield)
  dependence conflict = {};  // of the pending operations of two tasks
};

}  // namespace forkloom::strategy

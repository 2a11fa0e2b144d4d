// What a strategy is asked.
#pragma once

#include "framework/execution/task_set.hpp"
#include "framework/trace/ids.hpp"

namespace forkloom::strategy {

struct choice {
  const execution::task_set& enabled;  // never empty
  task_id
      current;  // who had the token; no_task at the very start and after a death; may be disabled
  bool yields;  // current says that it cannot go on usefully (sched_yield)
};

}  // namespace forkloom::strategy

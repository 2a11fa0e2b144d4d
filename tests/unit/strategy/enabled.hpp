// The enabled tasks of a choice, by number.
#pragma once

#include <initializer_list>

#include "framework/execution/task_set.hpp"

namespace forkloom::testing {

inline execution::task_set enabled(std::initializer_list<unsigned> tasks) {
  execution::task_set set;
  for (const auto task : tasks) set.insert(task_id(task));
  return set;
}

}  // namespace forkloom::testing

// What the tasks write to stdout and stderr: one memory file a task, so that every byte has an
// author.
#pragma once

#include <string>
#include <vector>

#include "framework/execution/unique_fd.hpp"
#include "framework/trace/ids.hpp"

namespace forkloom::execution {

class output_capture {
 public:
  // In the controller, before the fork: makes sure that the task has a file. False if none can be
  // made (no descriptors left, no memory).
  [[nodiscard]] bool prepare(task_id task);

  // In the child: stdout and stderr go to its file, stdin is empty.
  void redirect(task_id task) const noexcept;

  // In the controller, after the execution: what the task wrote. Empties the file for the next one.
  [[nodiscard]] std::string take(task_id task);

 private:
  std::vector<unique_fd> files_;  // by task
  unique_fd null_;
};

}  // namespace forkloom::execution

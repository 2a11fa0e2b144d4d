// The environment of a program that a task executes: its own, and on top of it what makes the
// dynamic linker load the interception library and lets that find the task again.
//
//   LD_PRELOAD=LIBRARY[:what the program's own says]
//   FORKLOOM_TASK=PATH OF THE ARENA'S MEMORY:ADDRESS:TASK
//
// The program itself sees neither: they are taken out before it starts. Async-signal-safe: the
// memory comes straight from the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

class program_environment {
 public:
  // own: as for execve(2); null is empty, as Linux has it.
  program_environment(const arena& a, task_id task, char* const* own) noexcept;
  ~program_environment();
  program_environment(const program_environment&) = delete;
  program_environment& operator=(const program_environment&) = delete;

  // For execve(2). Where the own environment has a bad address, or no memory can be had, it is the
  // own environment as it is: the kernel knows what to say of it.
  [[nodiscard]] char* const* get() const noexcept { return entries_; }

 private:
  char* const* entries_;
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

// What FORKLOOM_TASK says.
struct task_address {
  const char* memory_path;
  std::uint64_t arena;
  task_id task;
};

// Reads FORKLOOM_TASK in the environment that a program was started with, and takes out of that
// environment, in place, what program_environment put into it. Nothing if it is not there.
[[nodiscard]] std::optional<task_address> take_task_address(char** environment) noexcept;

}  // namespace forkloom::execution

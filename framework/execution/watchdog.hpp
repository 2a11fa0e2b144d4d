// Looks after the task that holds the token: does it ever come back?
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "framework/trace/trace.hpp"

namespace forkloom::execution {

// Called every tick by the controller. A verdict needs evidence, not just time: a task spins if it
// has used that much *processor* time within one step, so a slow or stopped machine accuses nobody;
// it is uncontrolled if it has slept in the same system call for that long without using any.
class watchdog {
 public:
  explicit watchdog(std::chrono::nanoseconds limit) noexcept : limit_(limit) {}

  struct verdict {
    ending how = ending::spinning;
    std::string detail;  // the system call and where it was made from
  };

  // step, process, thread: the schedule's present step and who holds the token. The other threads
  // of the process sleep, so the processor time of all of them is that of one.
  [[nodiscard]] std::optional<verdict> look(std::uint64_t step, pid_t process, pid_t thread);

  // A new execution begins.
  void restart() noexcept { watched_ = 0; }

 private:
  void begin_watch(std::uint64_t step, pid_t process, pid_t thread);

  std::chrono::nanoseconds limit_;
  std::uint64_t step_ = 0;
  pid_t watched_ = 0;               // the thread; 0: nobody yet
  std::uint64_t processor_ns_ = 0;  // at the beginning of the watch
  std::uint64_t idle_ns_ = 0;       // processor time when it last moved
  std::chrono::steady_clock::time_point asleep_since_;
};

}  // namespace forkloom::execution

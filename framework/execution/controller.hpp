// The controller of one execution at a time: forks its tasks, starts them, watches for deaths and
// hangs, and cleans up. It takes no part in a step.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/execution/arena.hpp"
#include "framework/execution/output.hpp"
#include "framework/execution/unique_fd.hpp"
#include "framework/execution/watchdog.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::execution {

class controller {
 public:
  struct limits {
    std::uint64_t progress_steps = 20'000;
    std::uint64_t total_steps = 900'000;
    std::chrono::nanoseconds hang = std::chrono::seconds(2);
    fault_plan faults{};
    timeout_policy timeouts = timeout_policy::idle;
  };

  // stop_fd: becomes readable, or hangs up, when the run shall stop; -1: never.
  // Throws std::system_error if the arena or the descriptors cannot be had.
  controller(const limits& bounds, int stop_fd);
  ~controller();
  controller(const controller&) = delete;
  controller& operator=(const controller&) = delete;

  // Begins an execution under that strategy.
  void begin(const strategy::state& strategy, std::uint64_t seed, bool record_stacks);

  // Forks a task. In the parent it returns the task's id; in the child it waits for its first turn,
  // runs the body, and never returns. Throws std::system_error if the fork fails.
  task_id spawn(std::string_view name, const std::function<void()>& body);

  // Runs the tasks until all have ended or the execution is stopped, then kills and reaps whatever
  // is left. Afterwards no process of the execution exists.
  void run();

  // Kills the tasks that were declared, without having run any of them.
  void abandon();

  // What happened. After run(); takes the captured output with it.
  [[nodiscard]] trace harvest();

  [[nodiscard]] arena& memory() noexcept { return *arena_; }
  // Programs that tasks execute come under control, too. False if the interception library lies
  // where LD_PRELOAD cannot name it (spaces or colons in its path).
  [[nodiscard]] bool programs_follow() const noexcept { return programs_follow_; }

  [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }

 private:
  [[noreturn]] void live(task_id task, pid_t parent, const std::function<void()>& body) noexcept;
  void watch(task_id task);
  void watch_newborns();
  void start();
  void serve(std::chrono::milliseconds patience);
  void on_death(task_id process);
  void look_after_running();
  void kill_all();
  void reap_all() noexcept;

  limits bounds_;
  arena* arena_;
  unique_fd epoll_;
  unique_fd mail_;           // the mailbox, to read from
  unique_fd mail_entrance_;  // and to write into
  bool interrupted_ = false;
  bool programs_follow_ = false;
  std::uint32_t newborns_watched_ = 0;
  std::vector<unique_fd> pidfds_;  // by task
  std::vector<wait_record> waits_;
  std::string detail_;
  task_id culprit_ = no_task;
  output_capture output_;
  watchdog watchdog_;
};

}  // namespace forkloom::execution

// What stands behind a forkloom::scenario while its body runs: it turns declarations into tasks of
// the controller, and runs one execution.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forkloom/options.hpp"
#include "forkloom/registry.hpp"
#include "forkloom/scenario.hpp"
#include "framework/dsl/body_limit.hpp"
#include "framework/dsl/program_choice.hpp"
#include "framework/execution/controller.hpp"
#include "framework/execution/scenario_memory.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::detail {

class scenario_engine {
 public:
  scenario_engine(execution::controller& controller, execution::scenario_memory& memory,
                  body_limit& limit, const options& how, std::uint64_t seed,
                  program_choice& program)
      : controller_(controller),
        memory_(memory),
        limit_(limit),
        options_(how),
        seed_(seed),
        program_(program) {}

  // Runs the body and its processes once. The controller must have begun an execution. The body's
  // exceptions end up in the trace. Throws usage_error if the body declares no process.
  [[nodiscard]] trace execute(const scenario_info& scenario);

  // For forkloom::scenario and process_group.

  unsigned add(std::string_view name, unsigned count, bool numbered,
               const std::function<void(process&)>& body);
  void allow_exit(unsigned first, unsigned count, int code);
  void allow_signal(unsigned first, unsigned count, int signal);
  void finally(const std::function<void()>& check);
  void* allocate(std::size_t size, std::size_t alignment, std::string_view name);
  void destroy_later(std::function<void()> destructor) {
    destructors_.push_back(std::move(destructor));
  }
  [[nodiscard]] std::uint64_t execution_seed() const noexcept { return seed_; }
  [[nodiscard]] program_choice& program() noexcept { return program_; }
  void found(judged_history history) { histories_.push_back(std::move(history)); }
  [[nodiscard]] unsigned default_process_count() const { return options_.processes; }

 private:
  struct allowance {
    std::vector<int> codes;
    std::vector<int> signals;
  };

  task_id fork_task(const std::string& name, const std::function<void()>& body);
  void run_processes();
  void destroy_objects();
  [[nodiscard]] bool cut_short();
  void judge_ends(trace& result) const;

  execution::controller& controller_;
  execution::scenario_memory& memory_;
  body_limit& limit_;
  std::optional<body_limit::watch> watch_;  // while the body runs
  const options& options_;
  std::uint64_t seed_;
  program_choice& program_;
  std::vector<judged_history> histories_;
  std::vector<std::function<void()>> destructors_;
  std::vector<allowance> allowances_;  // by task
  bool ran_ = false;
  std::string trouble_;         // what left the scenario's body
  std::string system_trouble_;  // why a process could not be made
};

}  // namespace forkloom::detail

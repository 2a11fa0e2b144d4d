// Runs single executions of one scenario, in the worker.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "forkloom/options.hpp"
#include "forkloom/registry.hpp"
#include "framework/dsl/body_limit.hpp"
#include "framework/dsl/program_choice.hpp"
#include "framework/execution/controller.hpp"
#include "framework/execution/isolation.hpp"
#include "framework/execution/leftovers.hpp"
#include "framework/execution/scenario_memory.hpp"
#include "framework/explore/worker.hpp"
#include "framework/strategy/strategy.hpp"
#include "framework/trace/fault_plan.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// How much an execution records.
enum class tracing : std::uint8_t {
  lean,  // operations, results and values
  full,  // and the call stack of each
};

class runner {
 public:
  runner(const scenario_info& scenario, const options& how, const worker_context& context);

  // Runs the scenario once. Throws usage_error if the scenario cannot be run at all.
  [[nodiscard]] trace run(const strategy::state& strategy, std::uint64_t seed, tracing detail);

  // The generated program that all executions run from now on, as tokens name it; "": each the one
  // that its seed says.
  void use_program(std::string name) { program_.wanted = std::move(name); }

  // Of the last execution.
  [[nodiscard]] const forkloom::detail::program_choice& program() const { return program_; }

  // What may befall the processes of all executions from now on; at first what the options say.
  void expose_to(const hazards& what) noexcept;
  [[nodiscard]] hazards exposed_to() noexcept;

  // The campaign was told to stop; the last trace is of an execution that was cut short.
  [[nodiscard]] bool interrupted() const noexcept { return controller_.interrupted(); }

 private:
  void note_wrong_pick(trace& result);

  const scenario_info& scenario_;
  const options& options_;
  execution::scenario_memory memory_;
  execution::controller controller_;
  detail::body_limit limit_;
  execution::leftovers leftovers_;
  execution::pid_rewinder pids_;
  forkloom::detail::program_choice program_;
};

}  // namespace forkloom::explore

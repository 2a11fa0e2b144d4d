#include "framework/explore/runner.hpp"

#include <fmt/format.h>

#include "framework/dsl/scenario_engine.hpp"
#include "framework/trace/fault_plan.hpp"

namespace forkloom::explore {

runner::runner(const scenario_info& scenario, const options& how, const worker_context& context)
    : scenario_(scenario),
      options_(how),
      controller_({.progress_steps = how.progress_limit,
                   .total_steps = how.step_limit,
                   .hang = how.hang_limit,
                   .faults = parse_faults(how.faults),
                   .timeouts = how.timeouts},
                  context.stop_fd),
      limit_(10 * how.hang_limit),
      leftovers_(!context.world.private_names),
      pids_(context.world) {
  leftovers_.look_before();
}

void runner::expose_to(const hazards& what) noexcept {
  auto& config = controller_.memory().config;
  config.faults = what.faults;
  config.timeouts = what.timeouts;
}

hazards runner::exposed_to() noexcept {
  const auto& config = controller_.memory().config;
  return {config.faults, config.timeouts};
}

// A strategy of the user's that picks a task which cannot go on.
void runner::note_wrong_pick(trace& result) {
  controller_.memory().strategy.visit([&](const auto& strategy) {
    if constexpr (requires { strategy.wrong_step(); }) {
      if (strategy.wrong_step() == 0) return;
      result.how = ending::failed;
      result.detail =
          fmt::format("strategy {} picked task {} at step {}, which was not enabled",
                      options_.strategy, index(strategy.wrong_pick()), strategy.wrong_step());
    }
  });
}

trace runner::run(const strategy::state& strategy, std::uint64_t seed, tracing detail) {
  pids_.rewind();
  controller_.begin(strategy, seed, detail == tracing::full);
  program_.ran.clear();
  program_.missing = false;
  forkloom::detail::scenario_engine engine(controller_, memory_, limit_, options_, seed, program_);
  auto result = engine.execute(scenario_);
  note_wrong_pick(result);
  if (scenario_.examine) scenario_.examine(result);
  leftovers_.collect(result);
  return result;
}

}  // namespace forkloom::explore

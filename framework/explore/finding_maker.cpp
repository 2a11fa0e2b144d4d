#include "framework/explore/finding_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "framework/explore/confirm.hpp"
#include "framework/explore/shrink_failure.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "framework/trace/schedule.hpp"
#include "framework/trace/token.hpp"

namespace forkloom::explore {
namespace {

// The whole schedule, for an execution that no seed gives again.
std::string spec_of(const trace& t) {
  return to_string({.which = strategy_family::schedule,
                    .schedule = std::make_shared<const schedule>(schedule_of(t))});
}

}  // namespace

bool is_expected(const options& how, const violation& v) {
  return std::find(how.expects.begin(), how.expects.end(), v.kind) != how.expects.end();
}

finding finding_maker::make(std::uint64_t number, failure first) {
  const auto small = shall_shrink(first.found)
                         ? with_smaller_program(run_, std::move(first), checkers_, options_)
                         : std::move(first);
  finding f{.execution = number, .token = token_of(small.what_happened, small.how)};
  auto told = explain_small(f, small);
  f.replays = options_.replays;
  f.reproduced = told.reproduced;
  f.divergence = std::move(told.divergence);
  f.violations = std::move(told.violations);
  f.what_happened = std::move(told.what_happened);
  if (f.shrunk && small.given_up_after_ms > 0)
    f.shrunk->given_up_after_ms = small.given_up_after_ms;
  confirm_predictions(f);
  run_.use_program("");
  return f;
}

// Explains the execution, or a smaller one that fails in the same way; the finding then has that
// one's token.
explanation finding_maker::explain_small(finding& f, const failure& what) {
  const auto& [how, first, found, given_up] = what;
  auto small = shall_shrink(found)
                   ? shrink_failure(run_, how.seed, first, found, checkers_, options_)
                   : std::nullopt;
  if (!small) return explain(run_, how.strategy, how.seed, first, found, checkers_, options_);
  const auto& smaller = small->what_happened;
  small->how.original =
      std::exchange(f.token, token_of(smaller, {.strategy = {}, .spec = {}, .seed = how.seed}));
  const auto made = schedule_of(smaller);
  auto told = explain(run_, strategy::replay(made), how.seed, smaller, small->violations, checkers_,
                      options_);
  small->how.preemptions = preemptions_of(told.what_happened);
  f.shrunk = std::move(small->how);
  return told;
}

bool finding_maker::shall_shrink(std::span<const violation> found) const {
  const bool surprises = std::any_of(found.begin(), found.end(),
                                     [&](const violation& v) { return !is_expected(options_, v); });
  return options_.shrink_budget > 0 &&
         options_.shrink >= (surprises ? shrink_what::surprises : shrink_what::everything);
}

// Steers into each deadlock that was predicted, and says whether it came to that.
void finding_maker::confirm_predictions(finding& f) {
  for (auto& v : f.violations) {
    if (v.kind != violation_kind::lock_order) continue;
    const auto [deadlock, steered] = confirm(run_, f.what_happened, v, options_.seed);
    v.message += deadlock ? " (confirmed)" : " (not confirmed)";
    if (deadlock)
      v.details.push_back(
          fmt::format("confirmed: steered into it, an execution deadlocked; forkloom replay {}",
                      token_of(*deadlock, {.strategy = {}, .spec = {}, .seed = options_.seed})));
    else
      v.details.push_back(fmt::format(
          "not confirmed: {} steered into it did not deadlock",
          steered == 1 ? "1 execution that was" : fmt::format("{} executions that were", steered)));
  }
}

std::string finding_maker::token_of(const trace& t, const attempt& what) {
  const auto exposed = run_.exposed_to();
  return encode({.scenario = scenario_hash(scenario_),
                 .strategy = what.spec.empty() ? spec_of(t) : what.spec,
                 .seed = what.seed,
                 .processes = options_.processes,
                 .progress_limit = options_.progress_limit,
                 .step_limit = options_.step_limit,
                 .steps = t.steps,
                 .hash = t.hash,
                 .program = run_.program().wanted,
                 .faults = exposed.faults,
                 .timeouts = exposed.timeouts});
}

}  // namespace forkloom::explore

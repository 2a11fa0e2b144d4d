// Runs scenarios. Each campaign has a worker process of its own, isolated as far as the system
// allows; nothing that a scenario does can harm the caller.
#pragma once

#include <optional>
#include <set>
#include <string_view>

#include "forkloom/options.hpp"
#include "forkloom/registry.hpp"
#include "framework/explore/result.hpp"
#include "framework/trace/token.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// Explores a scenario. Throws usage_error for options that cannot be, internal_error if no worker
// can be had. A violation is no error: it is in the result.
[[nodiscard]] campaign_result run_campaign(const scenario_info& scenario, const options& how);

// Runs the one execution that the token names, with full tracing; its result has executions == 1
// and always the trace, as a finding that may be without violations. recorded: what happened when
// the token was made, if it is known (a failure file has it); a departure is then shown at the step
// where it happens. Throws usage_error if the token is not for this scenario.
[[nodiscard]] campaign_result replay(const scenario_info& scenario, const replay_token& token,
                                     const options& how, const std::optional<trace>& recorded = {});

// The signal (SIGINT or SIGTERM) that stopped a campaign of this process; 0 if none did. What the
// campaign had found by then is in its result.
[[nodiscard]] int interrupting_signal() noexcept;

// The options after FORKLOOM_EXECUTIONS, FORKLOOM_SEED, FORKLOOM_SHRINK, FORKLOOM_STRATEGY,
// FORKLOOM_FAULTS and FORKLOOM_TIMEOUTS had their say, all but those in `but_not`.
// Throws usage_error if one of them is not what it should be.
[[nodiscard]] options with_environment(options scenario_defaults,
                                       const std::set<std::string_view>& but_not = {});

}  // namespace forkloom::explore

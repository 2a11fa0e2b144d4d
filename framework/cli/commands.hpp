// The sub-commands. Each returns an exit code and throws usage_error or internal_error.
#pragma once

#include "framework/cli/command_line.hpp"
#include "framework/explore/result.hpp"

namespace forkloom::cli {

[[nodiscard]] int list(const list_request& request);
[[nodiscard]] int run(const run_request& request);
[[nodiscard]] int replay(const replay_request& request);
[[nodiscard]] int show(const show_checkers&);
[[nodiscard]] int show(const show_strategies&);
[[nodiscard]] int show(const show_faults&);

// Whoever replays a finding needs to name the programs again.
void add_replay_arguments(explore::campaign_result& result, const program_run& programs);

// 0, 1 or 3.
[[nodiscard]] int exit_code_of(const explore::campaign_result& result) noexcept;

}  // namespace forkloom::cli

// Programs that nobody changed, as a scenario made at run time.
#pragma once

#include "forkloom/registry.hpp"
#include "framework/trace/program_run.hpp"

namespace forkloom::programs {

// Can they be run, and be followed? Throws usage_error, which names the program, says what is wrong
// with it, and what to do.
void require_programs(const program_run& run);

// A scenario whose processes are the programs. It holds what it needs of `run`.
[[nodiscard]] scenario_info scenario_of(const program_run& run);

}  // namespace forkloom::programs

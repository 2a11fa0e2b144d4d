// Failed expectations and exceptions, written into the arena where the controller finds them.
#pragma once

#include <cstdint>
#include <string_view>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// Texts that are too long are cut; failures beyond the arena's room are dropped, the first ones
// stay.
void record_failure(arena& a, task_id task, failure_record::what kind, std::string_view file,
                    std::uint32_t line, std::string_view text) noexcept;

}  // namespace forkloom::execution

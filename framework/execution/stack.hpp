// Call stacks for explained executions.
#pragma once

#include <cstdint>
#include <span>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// Records the calling thread's stack, innermost first, and returns 1 + its index; 0 if the arena
// has no room for more. Not async-signal-safe on its first use: call warm_up_stacks() before
// forking.
[[nodiscard]] std::uint32_t record_stack(arena& a) noexcept;

// Writes the calling thread's stack there, innermost first, and zeros behind it.
void walk_stack(std::span<std::uint64_t> frames) noexcept;

// Loads what the unwinder loads lazily.
void warm_up_stacks() noexcept;

}  // namespace forkloom::execution

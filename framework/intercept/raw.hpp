// System calls by number: what syscall(2) is asked for, and what traps. Each number that a family
// knows goes to that family's function, as if the program had called it; the others go to the
// kernel. Results are the kernel's: a negative errno on failure. Async-signal-safe.
#pragma once

#include "framework/execution/trap.hpp"

namespace forkloom::intercept {

using execution::system_call;

// Answers a call. Requires that controlled() has said yes.
[[nodiscard]] long dispatch(const system_call& call) noexcept;

// Who answers calls of that number; null if the kernel does.
using answer = long (*)(const system_call& call) noexcept;
[[nodiscard]] answer answer_for(long number) noexcept;

// futex(2) and futex_waitv(2).
[[nodiscard]] long futex(const system_call& call) noexcept;
[[nodiscard]] long futex_waitv(const system_call& call) noexcept;

// Signals, for a process or a thread, with information of the caller's own making.
[[nodiscard]] long rt_sigqueueinfo(const system_call& call) noexcept;
[[nodiscard]] long rt_tgsigqueueinfo(const system_call& call) noexcept;

}  // namespace forkloom::intercept

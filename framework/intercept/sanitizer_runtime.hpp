// Calls that a sanitizer's runtime makes for purposes of its own: UBSan probes memory with a pipe,
// ASan's allocator looks at the clock. They are not the program's, and when they come depends on
// what is in caches, so they must not be scheduled.
#pragma once

namespace forkloom::intercept {

// site: where the intercepted call returns to. A runtime also hands on calls of the program, from
// its own interceptors; those are told apart by who called the runtime. Async-signal-safe.
[[nodiscard]] bool sanitizers_own_call(const void* site) noexcept;

// Does that code belong to a sanitizer's runtime? Async-signal-safe.
[[nodiscard]] bool in_sanitizer_runtime(const void* code) noexcept;

}  // namespace forkloom::intercept

// What the condition variables need of the mutexes.
#pragma once

#include <pthread.h>

#include "framework/execution/call.hpp"

namespace forkloom::intercept {

[[nodiscard]] resource_id resource_of(const pthread_mutex_t* mutex) noexcept;

// Locks within a call that has had its scheduling point: tries, and waits until it succeeds. The
// value that pthread_mutex_lock returns; the event is not yet written.
[[nodiscard]] int lock_within(execution::controlled_call& call, pthread_mutex_t* mutex,
                              std::uint64_t deadline_ns) noexcept;

// The real unlock, and its consequences for owner and waiters; no scheduling point, no event.
[[nodiscard]] int unlock_within(pthread_mutex_t* mutex) noexcept;

}  // namespace forkloom::intercept

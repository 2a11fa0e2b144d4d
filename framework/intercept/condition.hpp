// Condition variables, for the family that is another way to write them.
#pragma once

#include <pthread.h>

#include <cstdint>

namespace forkloom::intercept {

// As their namesakes of pthreads, with scheduling point and event. They require that controlled()
// has said yes; deadline_ns: virtual time; site: where the intercepted call returns to.
[[nodiscard]] int wait_for_condition(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                     std::uint64_t deadline_ns, const void* site) noexcept;
int signal_condition(pthread_cond_t* condition, const void* site) noexcept;
int broadcast_condition(pthread_cond_t* condition, const void* site) noexcept;

}  // namespace forkloom::intercept

// What IP puts off. Over loopback TCP and UDP mostly deliver within the call that sends, but may do
// so later, by the clock on the wall. Time is virtual here, so they are made to hurry, and what
// must still come is waited for. Async-signal-safe; errno stays the caller's.
#pragma once

#include <cstdint>

#include "framework/intercept/descriptor.hpp"

namespace forkloom::intercept {

// Bytes were sent, to that socket if it is known.
void are_sent(int fd, resource_id own, resource_id target, std::uint64_t count) noexcept;

// Bytes, or one message, were received.
void are_received(int fd, resource_id own, std::uint64_t count) noexcept;

// To be asked before a task waits at a socket: has something come that was on its way?
bool await_delivery(int fd, resource_id socket) noexcept;

// What a wait for its readiness waits for. What is on its way there has come before this returns.
[[nodiscard]] readiness readiness_of_socket(int fd) noexcept;

}  // namespace forkloom::intercept

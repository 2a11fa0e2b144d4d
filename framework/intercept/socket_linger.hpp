// A close that lingers (SO_LINGER, socket(7)). Async-signal-safe; errno stays the caller's.
#pragma once

#include "framework/execution/call.hpp"

namespace forkloom::intercept {

// Before the close of that descriptor of a socket, by whatever call: waits as the kernel would, but
// in virtual time. The close itself then does not wait.
void linger_before_close(execution::controlled_call& call, int fd, resource_id socket) noexcept;

}  // namespace forkloom::intercept

// Connections that wait for room at a listener while nobody waits for them: connect(2) of a TCP
// socket that is O_NONBLOCK. Async-signal-safe; errno stays the caller's.
#pragma once

#include "framework/trace/ids.hpp"

namespace forkloom::intercept {

// The listener has accepted one, or has been closed: those that wait for it try again.
void connect_those_without_room(resource_id listener) noexcept;

// The same for a socket that somebody looks at, if a death may have changed something.
void connect_if_somebody_died(resource_id socket) noexcept;

}  // namespace forkloom::intercept

// The close of a message queue, by close() or by mq_close(). Async-signal-safe.
#pragma once

#include "framework/trace/operation.hpp"

namespace forkloom::intercept {

// A scheduling point with that operation. The descriptor must be open on a message queue.
int close_message_queue(int queue, operation as, const void* site) noexcept;

}  // namespace forkloom::intercept

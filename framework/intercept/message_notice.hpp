// What the queue's other calls have to do with mq_notify. Async-signal-safe.
#pragma once

#include <mqueue.h>

#include "framework/trace/ids.hpp"

namespace forkloom::intercept {

// The calling task has sent a message: whoever is to be told of it is told.
void message_came(resource_id queue, mqd_t descriptor, const void* site) noexcept;

// The calling task's process has closed a descriptor of the queue: it is not told any more.
void forgo_notice(resource_id queue) noexcept;

}  // namespace forkloom::intercept

// Timers behind descriptors, in virtual time, as read and those who wait for many descriptors see
// them. Async-signal-safe.
#pragma once

#include <sys/uio.h>

#include <cstdint>

#include "framework/trace/ids.hpp"

namespace forkloom::intercept {

ssize_t read_timerfd(int fd, const iovec* parts, int count, const void* site) noexcept;

// Lets the kernel's timer expire if its virtual time has come, so that its descriptor is readable
// for whoever looks. fd: any descriptor of the timer in this process.
void bring_up_to_date(resource_id timer, int fd) noexcept;

// When it expires next, in virtual time; no_deadline if it is not set.
[[nodiscard]] std::uint64_t next_expiry(resource_id timer) noexcept;

}  // namespace forkloom::intercept

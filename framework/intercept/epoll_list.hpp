// The list of an epoll, as the arena keeps it beside the kernel. Async-signal-safe; errno stays the
// caller's.
#pragma once

#include "framework/execution/arena.hpp"

namespace forkloom::intercept {

// Adds an entry, or gives the one for that descriptor other events. Says so if there is no room: a
// wait then hears of less than it should. epoll: a descriptor of the list.
void note_interest(int epoll, const execution::epoll_interest& what) noexcept;
void forget_interest(const execution::epoll_interest& what) noexcept;

// The kernel forgets an entry when the last descriptor of its open file is closed, wherever that
// is. To be called before somebody waits: asks it what is left, if anything was closed since last
// time.
void forget_closed_interests(int epoll, resource_id list) noexcept;

// What the first of the events is about, as far as its data tells.
[[nodiscard]] resource_id target_with(resource_id list, std::uint64_t data) noexcept;

}  // namespace forkloom::intercept

// Which object lies behind the descriptor of an eventfd, a timerfd, an epoll or a signalfd? The
// kernel does not say: all of them share one inode, and only an eventfd has a number of its own. So
// each process keeps a table of its descriptors, which a fork copies as it copies the descriptors.
// What came another way (over a socket, through exec) is recognised by an eventfd's number, by the
// mark that a timerfd bears, and for epolls by comparing open files with one that is known. An
// epoll that nobody has open any more while it is on its way in a message is recognised if it is
// the only such one. Async-signal-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

enum class event_source : std::uint8_t { none, eventfd, timerfd, epoll, pidfd, signalfd };

// What is behind that descriptor, as the kernel says; none for everything else.
[[nodiscard]] event_source sort_of(int descriptor) noexcept;

// The eventfd, timerfd, epoll or signalfd behind it. no_resource if it is none of these, or nobody
// knows which one.
[[nodiscard]] resource_id event_source_of(int descriptor) noexcept;

// The same, if this process has used that descriptor before: asks nobody.
[[nodiscard]] resource_id known_event_source(int descriptor) noexcept;

// The same for one that has just been made. The resource is called after its sort and numbered.
resource_id new_event_source(event_source sort, int descriptor) noexcept;

// It goes to another process in a message.
void event_source_travels(int descriptor) noexcept;

// The kernel's timer behind a timerfd never runs on real time, so its interval serves as a mark, in
// seconds: /proc shows it.
[[nodiscard]] inline std::int64_t timer_mark(resource_id timer) noexcept {
  return (std::int64_t{1} << 31) + index(timer);
}

// The process that a pidfd stands for; 0 if it is none.
[[nodiscard]] pid_t process_behind(int descriptor) noexcept;

// After a dup, a close, and at the beginning of an execution.
void copy_event_source(int from, int to) noexcept;
void forget_event_source(int descriptor) noexcept;
void forget_event_sources() noexcept;

// A descriptor of this process for it; -1 if it has none.
[[nodiscard]] int descriptor_of(resource_id source) noexcept;

// The number by which /proc tells eventfds apart.
[[nodiscard]] inline std::uint64_t& eventfd_number(resource& source) noexcept {
  return source.model[0];
}

// What a resource of the kind event_source is, and the clock of a timerfd.
[[nodiscard]] event_source sort_of(const resource& source) noexcept;
[[nodiscard]] clockid_t clock_of(const resource& source) noexcept;
void set_clock(resource& source, clockid_t clock) noexcept;

}  // namespace forkloom::execution

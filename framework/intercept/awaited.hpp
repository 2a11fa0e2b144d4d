// What those who wait for many descriptors wait for: the resources behind the descriptors, the next
// timer that runs out, and whether something among them is not scheduled at all.
// Async-signal-safe: nothing is allocated, no lock is taken.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "framework/execution/call.hpp"

namespace forkloom::intercept {

// What is wanted of a descriptor. Errors and hang-ups are always heard of.
struct wanted {
  bool reads = false;
  bool writes = false;
};

[[nodiscard]] inline wanted wanted_by_poll(unsigned events) noexcept {
  constexpr unsigned in = 0x001 | 0x002 | 0x040 | 0x080 | 0x2000;  // POLLIN … POLLRDHUP
  constexpr unsigned out = 0x004 | 0x100 | 0x200;                  // POLLOUT …
  return {(events & in) != 0, (events & out) != 0};
}

class awaited {
 public:
  // Adds what may make that descriptor ready. Timers whose time has come are made ready first.
  void add(int fd, wanted what) noexcept;

  [[nodiscard]] resource_id first() const noexcept {
    return count_ > 0 ? channels_[0] : no_resource;
  }

  // Gives the token up until one of them changes, or until the deadline. Never past a timer.
  execution::wake wait(execution::controlled_call& call, std::uint64_t deadline) const noexcept;

 private:
  void add_channel(resource_id id, wanted what) noexcept;
  void add_timer(resource_id timer, int fd) noexcept;
  void add_process(int fd) noexcept;
  void add_signals(resource_id signals) noexcept;
  void add_interests(resource_id epoll, unsigned depth) noexcept;
  void add_source(int fd, wanted what) noexcept;
  void add_target(const execution::epoll_interest& interest, unsigned depth) noexcept;

  // One more than a task can list is enough: then any change wakes it.
  std::array<resource_id, execution::wait_capacity + 1> channels_{};
  std::size_t count_ = 0;
  std::uint64_t directions_ = 0;  // two bits a channel; see task_details::awaited_part
  std::uint64_t timer_ = execution::no_deadline;
  bool outside_ = false;  // something else that may become ready, and is not scheduled
};

// Tries until something is ready, the deadline has come, or a handler of a signal has run,
// whichever is first. No flag restarts these calls. look: makes the set anew, as others may have
// changed it; attempt: the real call with no time-out.
template <class Look, class Attempt>
int wait_until_ready(execution::controlled_call& call, std::uint64_t deadline, Look look,
                     Attempt attempt) noexcept {
  for (;;) {
    const awaited set = look();
    const auto result = attempt();
    if (result != 0) return result;
    if (call.meet_signals() == execution::wake::retry) {
      if (execution::now_ns() >= deadline) return 0;
      const auto cause = set.wait(call, deadline);
      if (cause == execution::wake::retry || cause == execution::wake::timed_out) continue;
    }
    errno = EINTR;
    return -1;
  }
}

}  // namespace forkloom::intercept

// Waiting for descriptors: poll and ppoll.
//
// Resource: the first pipe among the descriptors; none if it is only a time-out.
// Blocks: while the real poll with no time-out finds nothing ready; on all pipes in the set, until
// the deadline in virtual time.
// Releases: whatever changes one of the pipes, and the death of anybody.
// A set without any pipe passes straight through, unless it is empty: that is a sleep.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <array>
#include <cerrno>
#include <span>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

constinit next<decltype(::poll)> real_poll{"poll"};
constinit next<decltype(::ppoll)> real_ppoll{"ppoll"};
constinit next<int(pollfd*, nfds_t, int, std::size_t)> real_poll_chk{"__poll_chk"};

// The pipes of a set. One more than a task can wait for is enough: then any change wakes it.
struct awaited_pipes {
  std::array<resource_id, execution::wait_capacity + 1> resources{};
  std::size_t count = 0;

  awaited_pipes(const pollfd* fds, nfds_t size) noexcept {
    for (nfds_t i = 0; i < size && count < resources.size(); ++i)
      if (fds[i].fd >= 0 && is_pipe(fds[i].fd)) resources[count++] = resource_of(fds[i].fd);
  }

  [[nodiscard]] std::span<const resource_id> all() const noexcept {
    return {resources.data(), count};
  }
  [[nodiscard]] resource_id first() const noexcept {
    return count > 0 ? resources[0] : no_resource;
  }
};

// attempt: the real call, with a time-out of zero.
template <class Attempt>
int wait_for(const awaited_pipes& pipes, std::uint64_t deadline, const void* site,
             Attempt attempt) noexcept {
  controlled_call call{operation::poll, pipes.first(), site};
  for (bool late = false;;) {
    const auto result = attempt();
    if (result != 0 || late) return ended(call, result, errno);
    late = call.block_on(pipes.all(), deadline) == wake::timed_out;
  }
}

// Deadlines count from the call, not from when the task is picked.
std::uint64_t deadline_in(int milliseconds) noexcept {
  if (milliseconds < 0) return no_deadline;
  if (milliseconds == 0) return 0;
  return deadline_after({milliseconds / 1000, milliseconds % 1000 * 1'000'000L});
}

int poll_set(pollfd* fds, nfds_t size, int timeout, const void* site) noexcept {
  const awaited_pipes pipes{fds, size};
  if (pipes.count == 0 && size > 0) return real_poll(fds, size, timeout);
  return wait_for(pipes, deadline_in(timeout), site, [&] { return real_poll(fds, size, 0); });
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// What poll() is when its caller was built with _FORTIFY_SOURCE.
int __poll_chk(pollfd* fds, nfds_t size, int timeout, std::size_t bytes);  // NOLINT

int __poll_chk(pollfd* fds, nfds_t size, int timeout, std::size_t bytes) {  // NOLINT
  if (!controlled() || bytes / sizeof(pollfd) < size)
    return real_poll_chk(fds, size, timeout, bytes);
  return poll_set(fds, size, timeout, __builtin_return_address(0));
}

int poll(pollfd* fds, nfds_t size, int timeout) {
  if (!controlled()) return real_poll(fds, size, timeout);
  return poll_set(fds, size, timeout, __builtin_return_address(0));
}

int ppoll(pollfd* fds, nfds_t size, const timespec* timeout, const sigset_t* mask) {
  if (!controlled() || (timeout != nullptr && (timeout->tv_sec < 0 || !valid(*timeout))))
    return real_ppoll(fds, size, timeout, mask);
  const awaited_pipes pipes{fds, size};
  if (pipes.count == 0 && size > 0) return real_ppoll(fds, size, timeout, mask);
  const bool at_once = timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
  const auto deadline = timeout == nullptr ? no_deadline : at_once ? 0 : deadline_after(*timeout);
  // Signals that the mask lets in are delivered in each attempt.
  return wait_for(pipes, deadline, __builtin_return_address(0), [&] {
    constexpr timespec none{0, 0};
    return real_ppoll(fds, size, &none, mask);
  });
}

}  // extern "C"

// Waiting for descriptors: poll and ppoll.
//
// Resource: the first pipe, message queue or socket among the descriptors; none if it is only a
// time-out.
// Blocks: while the real poll with no time-out finds nothing ready; on all pipes and queues in the
// set, until the deadline in virtual time.
// Releases: whatever changes one of these, and the death of anybody. If there is something else
// in the set (an eventfd, a socket, a terminal), any step of another task: what tasks do to it is
// found in time. What comes from outside is not waited for, so such a wait is noted as
// uncontrolled. Async-signal-safe: nothing is allocated, no lock is taken.
#include <array>
#include <cerrno>
#include <span>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;

constinit next<decltype(::poll)> real_poll{"poll"};
constinit next<decltype(::ppoll)> real_ppoll{"ppoll"};
constinit next<int(pollfd*, nfds_t, int, std::size_t)> real_poll_chk{"__poll_chk"};
constinit next<int(pollfd*, nfds_t, const timespec*, const sigset_t*, std::size_t)> real_ppoll_chk{
    "__ppoll_chk"};

// What a set waits for. One more than a task can list is enough: then any change wakes it.
struct awaited {
  std::array<resource_id, execution::wait_capacity + 1> channels{};
  std::size_t count = 0;
  bool outside = false;  // something else that may become ready, and is not scheduled

  awaited(const pollfd* fds, nfds_t size) noexcept {
    for (nfds_t i = 0; i < size; ++i) add(fds[i].fd);
  }

  [[nodiscard]] std::span<const resource_id> all() const noexcept {
    return {channels.data(), count};
  }
  [[nodiscard]] resource_id first() const noexcept { return count > 0 ? channels[0] : no_resource; }

 private:
  void add(int fd) noexcept {
    const auto [resource, is_outside] = readiness_of(fd);
    outside |= is_outside;
    if (resource != no_resource && count < channels.size()) channels[count++] = resource;
  }
};

// attempt: the real call, with a time-out of zero.
template <class Attempt>
int wait_for(const awaited& set, std::uint64_t deadline, const void* site,
             Attempt attempt) noexcept {
  controlled_call call{operation::poll, set.first(), site};
  for (bool late = false;;) {
    const auto result = attempt();
    if (result != 0 || late) return ended(call, result, errno);
    const auto cause =
        set.outside ? call.watch(set.all(), deadline) : call.block_on(set.all(), deadline);
    late = cause == wake::timed_out;
  }
}

// Deadlines count from the call, not from when the task is picked.
std::uint64_t deadline_in(int milliseconds) noexcept {
  if (milliseconds < 0) return no_deadline;
  if (milliseconds == 0) return 0;
  return deadline_after({milliseconds / 1000, milliseconds % 1000 * 1'000'000L});
}

std::uint64_t deadline_in(const timespec* duration) noexcept {
  if (duration == nullptr) return no_deadline;
  if (duration->tv_sec == 0 && duration->tv_nsec == 0) return 0;
  return deadline_after(*duration);
}

// The kernel refuses the set itself (EFAULT, EINVAL), so we cannot look into it either.
bool refused(const pollfd* fds, nfds_t size) noexcept {
  return sys::call(SYS_poll, sys::address(fds), static_cast<long>(size), 0) < 0;
}

int poll_set(pollfd* fds, nfds_t size, int timeout, const void* site) noexcept {
  if (refused(fds, size)) return real_poll(fds, size, 0);
  return wait_for(awaited{fds, size}, deadline_in(timeout), site,
                  [&] { return real_poll(fds, size, 0); });
}

// Signals that the mask lets in are delivered in each attempt.
int ppoll_set(pollfd* fds, nfds_t size, const timespec* timeout, const sigset_t* mask,
              const void* site) noexcept {
  const auto attempt = [&] {
    constexpr timespec none{0, 0};
    return real_ppoll(fds, size, &none, mask);
  };
  const bool bad_timeout = timeout != nullptr && (timeout->tv_sec < 0 || !valid(*timeout));
  if (bad_timeout) return real_ppoll(fds, size, timeout, mask);
  if (refused(fds, size)) return attempt();
  return wait_for(awaited{fds, size}, deadline_in(timeout), site, attempt);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// What poll() and ppoll() are when their caller was built with _FORTIFY_SOURCE.
int __poll_chk(pollfd* fds, nfds_t size, int timeout, std::size_t bytes);  // NOLINT
int __ppoll_chk(pollfd* fds, nfds_t size, const timespec* timeout, const sigset_t* mask,
                std::size_t bytes);  // NOLINT

int __poll_chk(pollfd* fds, nfds_t size, int timeout, std::size_t bytes) {  // NOLINT
  if (!controlled() || bytes / sizeof(pollfd) < size)
    return real_poll_chk(fds, size, timeout, bytes);
  return poll_set(fds, size, timeout, __builtin_return_address(0));
}

int __ppoll_chk(pollfd* fds, nfds_t size, const timespec* timeout,  // NOLINT
                const sigset_t* mask, std::size_t bytes) {
  if (!controlled() || bytes / sizeof(pollfd) < size)
    return real_ppoll_chk(fds, size, timeout, mask, bytes);
  return ppoll_set(fds, size, timeout, mask, __builtin_return_address(0));
}

int poll(pollfd* fds, nfds_t size, int timeout) {
  if (!controlled()) return real_poll(fds, size, timeout);
  return poll_set(fds, size, timeout, __builtin_return_address(0));
}

int ppoll(pollfd* fds, nfds_t size, const timespec* timeout, const sigset_t* mask) {
  if (!controlled()) return real_ppoll(fds, size, timeout, mask);
  return ppoll_set(fds, size, timeout, mask, __builtin_return_address(0));
}

}  // extern "C"

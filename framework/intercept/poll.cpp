// Waiting for descriptors: poll and ppoll.
//
// Resource: while it waits, the first channel among the descriptors (a pipe, a message queue, an
// eventfd, …), none if it is only a time-out; then the first that is ready.
// Blocks: while the real poll with no time-out finds nothing ready; on all channels in the set,
// until the deadline in virtual time, or until a timer in the set runs out.
// Releases: whatever changes one of these, and the death of anybody. If there is something else
// in the set (a terminal, an inotify), any step of another task: what tasks do to it is found in
// time. What comes from outside is not waited for, so such a wait is noted as uncontrolled.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <cerrno>

#include "framework/intercept/awaited.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/signal_set.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::poll)> real_poll{"poll"};
constinit next<decltype(::ppoll)> real_ppoll{"ppoll"};
constinit next<int(pollfd*, nfds_t, int, std::size_t)> real_poll_chk{"__poll_chk"};
constinit next<int(pollfd*, nfds_t, const timespec*, const sigset_t*, std::size_t)> real_ppoll_chk{
    "__ppoll_chk"};

awaited look_at(const pollfd* fds, nfds_t size) noexcept {
  awaited set;
  for (nfds_t i = 0; i < size; ++i)
    set.add(fds[i].fd, wanted_by_poll(static_cast<unsigned short>(fds[i].events)));
  return set;
}

// The first that is ready, so that what made it so comes before what the caller does next.
resource_id first_ready(const pollfd* fds, nfds_t size) noexcept {
  for (nfds_t i = 0; i < size; ++i)
    if (fds[i].revents != 0) return resource_of(fds[i].fd);
  return no_resource;
}

// attempt: the real call, with a time-out of zero.
template <class Attempt>
int wait_for(pollfd* fds, nfds_t size, std::uint64_t deadline, const sigset_t* mask,
             const void* site, Attempt attempt) noexcept {
  const auto look = [&] { return look_at(fds, size); };
  controlled_call call{operation::poll, look().first(), site};
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  if (!take_mask(call, mask)) return call.failed(EFAULT);
  const auto result = wait_until_ready(call, deadline, look, attempt);
  const auto error = errno;
  if (result > 0)
    if (const auto ready = first_ready(fds, size); ready != no_resource) call.concern(ready);
  return ended(call, result, error);
}

// The kernel refuses the set itself (EFAULT, EINVAL), so we cannot look into it either.
bool refused(const pollfd* fds, nfds_t size) noexcept {
  return sys::call(SYS_poll, sys::address(fds), static_cast<long>(size), 0) < 0;
}

int poll_set(pollfd* fds, nfds_t size, int timeout, const void* site) noexcept {
  if (refused(fds, size)) return real_poll(fds, size, 0);
  return wait_for(fds, size, deadline_in(timeout), nullptr, site,
                  [&] { return real_poll(fds, size, 0); });
}

int ppoll_set(pollfd* fds, nfds_t size, const timespec* timeout, const sigset_t* mask,
              const void* site) noexcept {
  const bool bad_timeout = timeout != nullptr && (timeout->tv_sec < 0 || !valid(*timeout));
  if (bad_timeout) return real_ppoll(fds, size, timeout, mask);
  if (refused(fds, size)) return real_poll(fds, size, 0);
  return wait_for(fds, size, deadline_in(timeout), mask, site,
                  [&] { return real_poll(fds, size, 0); });
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

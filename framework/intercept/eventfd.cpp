// Event counters: eventfd.
//
// Resource: the counter, whatever descriptors it is reached by (execution/event_source.hpp).
// Blocks: a read while the counter is zero; a write while the sum would not fit.
// Releases: every read and write that changes the counter. A close wakes nobody: an eventfd has no
// ends, so who could still write is looked for only when nobody goes on.
// Events: after is the number that was added or taken.
//
// The attempt is made with O_NONBLOCK set for its duration, as for pipes.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include "framework/intercept/eventfd.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/event_source.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/instrumented.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::eventfd)> real_eventfd{"eventfd"};
constinit next<decltype(::eventfd_read)> real_eventfd_read{"eventfd_read"};
constinit next<decltype(::eventfd_write)> real_eventfd_write{"eventfd_write"};

constexpr int no_access_is_wrong = -1;

// number: of the system call.
ssize_t move(operation op, long number, int fd, const iovec* parts, int count,
             const void* site) noexcept {
  controlled_call call{op, resource_of(fd), site};
  for (;;) {
    const auto flags = status_flags(fd);
    const auto attempt = [&] { return sys::call(number, fd, sys::address(parts), count); };
    const bool at_once = answers_at_once(flags, no_access_is_wrong);
    const auto moved = at_once ? attempt() : without_blocking(fd, flags, attempt);
    if (moved > 0) {
      if (op == operation::write) tell_buffer_access(operation::load, parts, 1, moved, site);
      const auto value = number_in(parts);
      const bool added_nothing = value == 0 && parts->iov_len >= sizeof value;
      return added_nothing ? call.completed_unchanged(moved) : call.completed(moved, 0, value);
    }
    if (moved == 0) return call.completed_unchanged(moved);
    if (moved != -EAGAIN || at_once) return call.failed(static_cast<int>(-moved));
    if (call.block() == execution::wake::interrupted) return call.failed(EINTR);
  }
}

}  // namespace

ssize_t read_eventfd(int fd, const iovec* parts, int count, const void* site) noexcept {
  return move(operation::read, SYS_readv, fd, parts, count, site);
}

ssize_t write_eventfd(int fd, const iovec* parts, int count, const void* site) noexcept {
  return move(operation::write, SYS_writev, fd, parts, count, site);
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int eventfd(unsigned initial, int flags) noexcept {
  if (execution::refused(operation::eventfd, __builtin_return_address(0))) return -1;
  const auto fd = real_eventfd(initial, flags);
  const auto error = errno;
  if (execution::current_arena() == nullptr) return fd;
  const auto source =
      fd < 0 ? no_resource : execution::new_event_source(execution::event_source::eventfd, fd);
  if (!controlled()) return fd;
  auto call = controlled_call::silent(operation::eventfd, source, __builtin_return_address(0));
  return ended(call, fd, error);
}

// libc's own read and write, which do not pass here.
int eventfd_read(int fd, eventfd_t* value) {
  if (!controlled() || execution::sort_of(fd) != execution::event_source::eventfd)
    return real_eventfd_read(fd, value);
  const iovec whole{value, sizeof *value};
  return read_eventfd(fd, &whole, 1, __builtin_return_address(0)) == sizeof *value ? 0 : -1;
}

int eventfd_write(int fd, eventfd_t value) {
  if (!controlled() || execution::sort_of(fd) != execution::event_source::eventfd)
    return real_eventfd_write(fd, value);
  const iovec whole{&value, sizeof value};
  return write_eventfd(fd, &whole, 1, __builtin_return_address(0)) == sizeof value ? 0 : -1;
}

}  // extern "C"

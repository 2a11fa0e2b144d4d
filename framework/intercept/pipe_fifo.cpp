// What moves through pipes and FIFOs: pipe, mkfifo, read, write.
//
// Resource: the pipe, by its inode; both ends are the same one.
// Blocks: a read while the pipe is empty and has a writer; a write while it does not fit, of which
// PIPE_BUF bytes go whole or not at all, and of a longer one whatever fits goes at once.
// Releases: each transfer, even a part of one; the close of an end; the death of anybody. The end
// of the data, and a transfer of nothing, change nothing. Sockets, event counters and timers have
// families of their own; other descriptors pass straight through, but for a read that would wait.
//
// The attempt is made with O_NONBLOCK set for its duration. The flag belongs to the open file
// description, which other tasks share, but none of them runs meanwhile. poll(2) could not answer
// instead: a full pipe still takes bytes that fit into its last page, and a FIFO that never had a
// writer is at its end although poll does not say so.
// Events: before is how many bytes a read asked for, and how many a write had moved when it last
// had to wait for room for the rest; mkfifo has after as framework/trace/making.hpp says.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "framework/execution/event_source.hpp"
#include "framework/execution/inherited_pipes.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/eventfd.hpp"
#include "framework/intercept/first_bytes.hpp"
#include "framework/intercept/instrumented.hpp"
#include "framework/intercept/made.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/path.hpp"
#include "framework/intercept/remainder.hpp"
#include "framework/intercept/sanitizer_runtime.hpp"
#include "framework/intercept/signalfd.hpp"
#include "framework/intercept/socket_peers.hpp"
#include "framework/intercept/socket_transfer.hpp"
#include "framework/intercept/timerfd.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::wake;

constinit next<decltype(::pipe)> real_pipe{"pipe"};
constinit next<decltype(::pipe2)> real_pipe2{"pipe2"};
constinit next<decltype(::mkfifo)> real_mkfifo{"mkfifo"};
constinit next<decltype(::mkfifoat)> real_mkfifoat{"mkfifoat"};
constinit next<decltype(::preadv2)> real_preadv2{"preadv2"};
constinit next<decltype(::pwritev2)> real_pwritev2{"pwritev2"};
constinit next<decltype(::read)> real_read{"read"};
constinit next<decltype(::readv)> real_readv{"readv"};
constinit next<decltype(::write)> real_write{"write"};
constinit next<decltype(::writev)> real_writev{"writev"};
constinit next<ssize_t(int, void*, std::size_t, std::size_t)> real_read_chk{"__read_chk"};

// As ended(); a call that moved no byte is no progress for anybody.
ssize_t transferred(controlled_call& call, ssize_t result, int error) noexcept {
  if (result == 0) return call.completed_unchanged(result);
  return ended(call, result, error);
}

// Of parts that the kernel has accepted.
std::size_t size_of(const iovec* parts, int count) noexcept {
  std::size_t total = 0;
  for (int i = 0; i < count; ++i) total += parts[i].iov_len;
  return total;
}

// Whether anybody ever wrote more than PIPE_BUF bytes at once, which may come in parts. What else
// is written a reader finds whole.
std::uint64_t& comes_in_parts(resource_id pipe) noexcept {
  return execution::current_arena()->resources[pipe].model[1];
}

std::size_t unread(int fd) noexcept {
  int count = 0;
  execution::sys::call(SYS_ioctl, fd, FIONREAD, execution::sys::address(&count));
  return static_cast<std::size_t>(count);
}

// How much a fault lets a read have; 0: it does not strike.
std::size_t part_of_read(controlled_call& call, int fd, const iovec* parts, int count) noexcept {
  if (!controlled_call::possible(fault_kind::partial)) return 0;
  if (comes_in_parts(call.resource()) == 0) return 0;
  const auto size = size_if_accepted(parts, static_cast<std::size_t>(count));
  return cut_of(call, std::min(size, unread(fd)));
}

template <class Attempt>
ssize_t read_pipe(int fd, const iovec* parts, int count, const void* site,
                  Attempt attempt) noexcept {
  controlled_call call{operation::read, resource_of(fd), site};
  const auto read_some = [&] {
    const auto part = part_of_read(call, fd, parts, count);
    if (part == 0) return attempt();
    first_bytes cut(parts, static_cast<std::size_t>(count), part);
    return real_readv(fd, cut.data(), static_cast<int>(cut.count()));
  };
  for (;;) {
    // Looked at anew after each wait, as the kernel does: another task may have set it meanwhile.
    const auto flags = status_flags(fd);
    if (answers_at_once(flags, O_WRONLY)) {
      const auto result = read_some();
      const auto error = errno;
      if (result > 0) call.asks(size_of(parts, count), 0);
      return transferred(call, result, error);
    }
    const auto result = without_blocking(fd, flags, read_some);
    if (result > 0) call.asks(size_of(parts, count), 0);
    if (result >= 0 || errno != EAGAIN) return transferred(call, result, errno);
    if (call.block() == wake::interrupted) return call.failed(EINTR);
  }
}

// One attempt to write without blocking. Without a reader it is made as it is, because SIGPIPE may
// end the task in the middle of it, and would leave O_NONBLOCK behind in a shared description.
template <class Attempt>
ssize_t try_write(int fd, int flags, Attempt attempt) noexcept {
  if (answers_at_once(flags, O_RDONLY) || (ready(fd, POLLOUT) & POLLERR) != 0) return attempt();
  return without_blocking(fd, flags, attempt);
}

// A pipe that is not empty may have no room for more: it has as many pages as the kernel gave it,
// which may be one (pipe(7), pipe-user-pages-soft). 0 once there is room again, or why the call
// ends.
int wait_as_if_full(controlled_call& call, int fd) noexcept {
  if (!controlled_call::possible(fault_kind::full)) return 0;
  const auto flags = status_flags(fd);
  const auto before = unread(fd);
  const bool may_be =
      before > 0 && (ready(fd, POLLOUT) & POLLERR) == 0 && (flags & O_ACCMODE) != O_RDONLY;
  if (!may_be || !call.finds_no_room()) return 0;
  if ((flags & O_NONBLOCK) != 0) return EAGAIN;
  while (unread(fd) >= before && (ready(fd, POLLOUT) & POLLERR) == 0)
    if (call.block() == wake::interrupted) return EINTR;
  return 0;
}

// How much a fault lets a write put in; 0: it does not strike. A handler of a signal may interrupt
// it when a part is written, or there is only so much room. O_DIRECT makes packets.
std::size_t part_of_write(controlled_call& call, int fd, const iovec* parts, int count) noexcept {
  if (!controlled_call::possible(fault_kind::partial)) return 0;
  const auto size = size_if_accepted(parts, static_cast<std::size_t>(count));
  if (size <= PIPE_BUF || (status_flags(fd) & O_DIRECT) != 0) return 0;
  comes_in_parts(call.resource()) = 1;
  return cut_of(call, size);
}

// attempt: the call as it was made; parts: what it writes, looked at once the kernel has accepted
// it. That the kernel read them is told where it happened: before they are handed on.
template <class Attempt>
ssize_t write_pipe(int fd, const iovec* parts, int count, const void* site,
                   Attempt attempt) noexcept {
  controlled_call call{operation::write, resource_of(fd), site};
  if (const auto error = wait_as_if_full(call, fd); error != 0) return call.failed(error);
  const auto part = part_of_write(call, fd, parts, count);
  const bool stops_short = part != 0;
  first_bytes cut(parts, static_cast<std::size_t>(count), part);
  const auto write_some = [&] {
    return stops_short ? real_writev(fd, cut.data(), static_cast<int>(cut.count())) : attempt();
  };
  for (;;) {
    const auto flags = status_flags(fd);
    auto written = try_write(fd, flags, write_some);
    if (written > 0)
      tell_buffer_access(operation::load, parts, static_cast<std::size_t>(count), written, site);
    if (written < 0 && errno == EAGAIN && !answers_at_once(flags, O_RDONLY)) {
      if (call.block() == wake::interrupted) return call.failed(EINTR);
      continue;
    }
    if (written <= 0 || stops_short || answers_at_once(flags, O_RDONLY))
      return transferred(call, written, errno);

    remainder rest(parts, static_cast<std::size_t>(count));
    rest.skip(static_cast<std::size_t>(written));
    while (!rest.empty()) {
      const auto more_flags = status_flags(fd);
      const auto more =
          try_write(fd, more_flags, [&] { return real_write(fd, rest.data(), rest.size()); });
      if (more >= 0) {
        tell_buffer_access(operation::load, rest.data(), more, site);
        written += more;
        rest.skip(static_cast<std::size_t>(more));
        continue;
      }
      // What has been written counts: a later error is for the next call to tell.
      if (errno != EAGAIN || answers_at_once(more_flags, O_RDONLY)) break;
      execution::changed(call.resource());
      call.asks(static_cast<std::uint64_t>(written), 0);
      if (call.block() != wake::retry) break;  // nor is a part that was written tried again
    }
    return call.completed(written);
  }
}

// With flags: the one that matters (RWF_NOWAIT) forbids to wait, and who asks for another one of a
// pipe is refused.
template <class Attempt>
ssize_t transfer_at_once(operation op, int fd, const void* site, Attempt attempt) noexcept {
  controlled_call call{op, resource_of(fd), site};
  const auto result = attempt();
  const auto error = errno;
  if (result > 0 && is_socket(fd)) changed_at_both_ends(call.resource());
  return transferred(call, result, error);
}

// What is not scheduled and has nothing to read (an inotify, a terminal) is watched, as by poll.
template <class Attempt>
ssize_t read_watched(int fd, const void* site, Attempt attempt) noexcept {
  if (answers_at_once(status_flags(fd), O_WRONLY) || ready(fd, POLLIN) != 0) return attempt();
  controlled_call call{operation::read, no_resource, site};
  while (ready(fd, POLLIN) == 0)
    if (call.watch({}, execution::no_deadline) == wake::interrupted) return call.failed(EINTR);
  const auto got = attempt();
  return ended(call, got, errno);
}

// Whatever is behind the descriptor. attempt: the call as it was made; parts: where it reads to.
template <class Attempt>
ssize_t read_any(int fd, const iovec* parts, int count, const void* site,
                 Attempt attempt) noexcept {
  if (is_pipe(fd)) return read_pipe(fd, parts, count, site, attempt);
  switch (execution::sort_of(fd)) {
    case execution::event_source::eventfd:
      return read_eventfd(fd, parts, count, site);
    case execution::event_source::timerfd:
      if (execution::event_source_of(fd) == no_resource) return attempt();
      return read_timerfd(fd, parts, count, site);
    case execution::event_source::signalfd:
      return read_signalfd(fd, parts, count, site);
    case execution::event_source::none:
      return read_watched(fd, site, attempt);
    default:
      return attempt();
  }
}

template <class Attempt>
ssize_t write_any(int fd, const iovec* parts, int count, const void* site,
                  Attempt attempt) noexcept {
  if (is_pipe(fd)) return write_pipe(fd, parts, count, site, attempt);
  if (execution::sort_of(fd) == execution::event_source::eventfd)
    return write_eventfd(fd, parts, count, site);
  const auto written = attempt();
  tell_buffer_access(operation::load, parts, static_cast<std::size_t>(count), written, site);
  return written;
}

ssize_t read_parts(int fd, const iovec* parts, int count, const void* site) noexcept {
  if (is_socket(fd)) return readv_socket(fd, parts, count, site);
  const auto got = read_any(fd, parts, count, site, [&] { return real_readv(fd, parts, count); });
  tell_buffer_access(operation::store, parts, static_cast<std::size_t>(count), got, site);
  return got;
}

ssize_t write_parts(int fd, const iovec* parts, int count, const void* site) noexcept {
  if (is_socket(fd)) return writev_socket(fd, parts, count, site);
  return write_any(fd, parts, count, site, [&] { return real_writev(fd, parts, count); });
}

bool never_waits(int fd) noexcept {
  return !is_pipe(fd) && !is_socket(fd) &&
         execution::sort_of(fd) != execution::event_source::eventfd;
}

// With -1 for the place it is a readv() with flags; pipes and sockets have no other place.
ssize_t read_at(int fd, const iovec* parts, int count, off_t place, int flags,
                const void* site) noexcept {
  const auto attempt = [&] { return real_preadv2(fd, parts, count, place, flags); };
  if (!controlled() || place != -1) return attempt();
  if (flags == 0) return read_parts(fd, parts, count, site);
  return never_waits(fd) ? attempt() : transfer_at_once(operation::read, fd, site, attempt);
}

ssize_t write_at(int fd, const iovec* parts, int count, off_t place, int flags,
                 const void* site) noexcept {
  const auto attempt = [&] { return real_pwritev2(fd, parts, count, place, flags); };
  if (!controlled() || place != -1) return attempt();
  if (flags == 0) return write_parts(fd, parts, count, site);
  return never_waits(fd) ? attempt() : transfer_at_once(operation::write, fd, site, attempt);
}

// read() and write() of one buffer, which may lie in shared memory. That the kernel wrote into it
// is told where it happens: after what was received with the bytes.
ssize_t read_into(int fd, void* buffer, std::size_t count, const void* site) noexcept {
  const iovec whole{buffer, count};
  const auto result = read_any(fd, &whole, 1, site, [&] { return real_read(fd, buffer, count); });
  tell_buffer_access(operation::store, buffer, result, site);
  return result;
}

ssize_t write_from(int fd, const void* buffer, std::size_t count, const void* site) noexcept {
  const iovec whole{const_cast<void*>(buffer), count};  // NOLINT: an iovec serves reads as well
  return write_any(fd, &whole, 1, site, [&] { return real_write(fd, buffer, count); });
}

int made_pipe(const int* ends, int result, const void* site) noexcept {
  if (!controlled()) {
    if (result == 0 && execution::current_arena() != nullptr) {
      execution::note_inherited_pipe(ends[0]);
      execution::note_inherited_pipe(ends[1]);
    }
    return result;
  }
  if (sanitizers_own_call(site)) return result;
  auto call = controlled_call::silent(operation::pipe,
                                      result == 0 ? resource_of(ends[0]) : no_resource, site);
  if (result != 0) return call.failed(errno);
  return call.completed(0, static_cast<std::uint64_t>(ends[0]),
                        static_cast<std::uint64_t>(ends[1]));
}

template <class Make>
int make_pipe(const int* ends, const void* site, Make make) noexcept {
  if (!sanitizers_own_call(site) && execution::refused(operation::pipe, site)) return -1;
  return made_pipe(ends, make(), site);
}

template <class Make>
int make_fifo(int directory, const char* path, mode_t mode, const void* site, Make make) noexcept {
  controlled_call call{operation::mkfifo, no_resource, site};
  call.asks(0, number_of(asked_to_make(O_CREAT | O_EXCL, mode)));
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  if (make() != 0) return call.failed(errno);
  const auto made = resource_at_path(directory, path, resource_kind::fifo);
  if (made != no_resource) execution::current_arena()->resources.set_name(made, path);
  call.concern(made);
  return call.completed(0);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// What read() is when its caller was built with _FORTIFY_SOURCE.
ssize_t __read_chk(int fd, void* buffer, std::size_t count, std::size_t size);  // NOLINT

ssize_t __read_chk(int fd, void* buffer, std::size_t count, std::size_t size) {  // NOLINT
  if (!controlled() || count > size) return real_read_chk(fd, buffer, count, size);
  if (is_socket(fd)) return read_socket(fd, buffer, count, __builtin_return_address(0));
  return read_into(fd, buffer, count, __builtin_return_address(0));
}

int mkfifo(const char* path, mode_t mode) noexcept {
  if (!controlled()) return real_mkfifo(path, mode);
  return make_fifo(AT_FDCWD, path, mode, __builtin_return_address(0),
                   [&] { return real_mkfifo(path, mode); });
}

int mkfifoat(int directory, const char* path, mode_t mode) noexcept {
  if (!controlled()) return real_mkfifoat(directory, path, mode);
  return make_fifo(directory, path, mode, __builtin_return_address(0),
                   [&] { return real_mkfifoat(directory, path, mode); });
}

int pipe(int* ends) noexcept {
  return make_pipe(ends, __builtin_return_address(0), [&] { return real_pipe(ends); });
}

int pipe2(int* ends, int flags) noexcept {
  return make_pipe(ends, __builtin_return_address(0), [&] { return real_pipe2(ends, flags); });
}

ssize_t preadv2(int fd, const iovec* parts, int count, off_t place, int flags) {
  return read_at(fd, parts, count, place, flags, __builtin_return_address(0));
}

ssize_t preadv64v2(int fd, const iovec* parts, int count, off64_t place, int flags) {
  return read_at(fd, parts, count, place, flags, __builtin_return_address(0));
}

ssize_t pwritev2(int fd, const iovec* parts, int count, off_t place, int flags) {
  return write_at(fd, parts, count, place, flags, __builtin_return_address(0));
}

ssize_t pwritev64v2(int fd, const iovec* parts, int count, off64_t place, int flags) {
  return write_at(fd, parts, count, place, flags, __builtin_return_address(0));
}

ssize_t read(int fd, void* buffer, std::size_t count) {
  if (!controlled()) return real_read(fd, buffer, count);
  if (is_socket(fd)) return read_socket(fd, buffer, count, __builtin_return_address(0));
  return read_into(fd, buffer, count, __builtin_return_address(0));
}

ssize_t readv(int fd, const iovec* parts, int count) {
  if (!controlled()) return real_readv(fd, parts, count);
  return read_parts(fd, parts, count, __builtin_return_address(0));
}

ssize_t write(int fd, const void* buffer, std::size_t count) {
  if (!controlled()) return real_write(fd, buffer, count);
  if (is_socket(fd)) return write_socket(fd, buffer, count, __builtin_return_address(0));
  return write_from(fd, buffer, count, __builtin_return_address(0));
}

ssize_t writev(int fd, const iovec* parts, int count) {
  if (!controlled()) return real_writev(fd, parts, count);
  return write_parts(fd, parts, count, __builtin_return_address(0));
}

}  // extern "C"

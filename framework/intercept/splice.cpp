// Moving data between descriptors without reading it: splice, tee, vmsplice, sendfile.
//
// Resource: the pipe that is read, the pipe that is written. A call that reads one pipe and writes
// another is two events in one step, a read and a write.
// Blocks: while a pipe to be read is empty and has a writer; while a pipe to be written is full and
// has a reader. What moves may be less than was asked for.
// Releases: the transfer, on both sides. A tee takes nothing out of what it reads.
//
// The attempt is made with SPLICE_F_NONBLOCK, which concerns pipes alone, and sendfile's with
// O_NONBLOCK on the pipe for its duration.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::splice)> real_splice{"splice"};
constinit next<decltype(::tee)> real_tee{"tee"};
constinit next<decltype(::vmsplice)> real_vmsplice{"vmsplice"};
constinit next<decltype(::sendfile)> real_sendfile{"sendfile"};

// no_resource for what is no pipe.
resource_id pipe_behind(int fd) noexcept { return is_pipe(fd) ? resource_of(fd) : no_resource; }

bool never_blocks(int fd) noexcept {
  const auto flags = status_flags(fd);
  return flags < 0 || (flags & O_NONBLOCK) != 0;
}

enum class takes : std::uint8_t { out, nothing };

// A transfer from the pipe `in`, to the pipe `out`, or both.
// attempt: the real call, such that it does not wait for a pipe; at_once: so it was meant.
template <class Attempt>
ssize_t transfer(int in, int out, takes what, bool at_once, const void* site,
                 Attempt attempt) noexcept {
  const auto source = pipe_behind(in);
  const auto target = pipe_behind(out);
  controlled_call reading{source != no_resource ? operation::read : operation::write,
                          source != no_resource ? source : target, site};
  for (;;) {
    const auto moved = attempt();
    if (moved < 0 && errno == EAGAIN && !at_once) {
      // An empty pipe is waited for first: only what it gives can fill the other one.
      const bool empty = source != no_resource && (ready(in, POLLIN) & (POLLIN | POLLHUP)) == 0;
      if (empty || source == no_resource || target == no_resource)
        reading.block();
      else
        controlled_call::silent(operation::write, target, site).block();
      continue;
    }
    if (moved < 0) return reading.failed(errno);
    if (moved == 0) return reading.completed_unchanged(moved);
    if (what == takes::nothing)
      reading.completed_unchanged(moved);
    else
      reading.completed(moved);
    if (source != no_resource && target != no_resource)
      controlled_call::silent(operation::write, target, site).completed(moved);
    return moved;
  }
}

ssize_t send_file(int out, int in, off_t* offset, std::size_t count, const void* site) noexcept {
  if (!is_pipe(out)) return real_sendfile(out, in, offset, count);
  return transfer(in, out, takes::out, never_blocks(out), site, [&] {
    const auto flags = status_flags(out);
    const auto attempt = [&] { return real_sendfile(out, in, offset, count); };
    // SIGPIPE may end the task in the middle of it, and would leave O_NONBLOCK behind.
    if (answers_at_once(flags, O_RDONLY) || (ready(out, POLLOUT) & POLLERR) != 0) return attempt();
    return without_blocking(out, flags, attempt);
  });
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

ssize_t sendfile(int out, int in, off_t* offset, std::size_t count) noexcept {
  if (!controlled()) return real_sendfile(out, in, offset, count);
  return send_file(out, in, offset, count, __builtin_return_address(0));
}

ssize_t sendfile64(int out, int in, off64_t* offset, std::size_t count) noexcept {
  if (!controlled()) return real_sendfile(out, in, offset, count);
  return send_file(out, in, offset, count, __builtin_return_address(0));
}

ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t count,
               unsigned flags) {
  if (!controlled() || (!is_pipe(in) && !is_pipe(out)))
    return real_splice(in, in_offset, out, out_offset, count, flags);
  const bool at_once = (flags & SPLICE_F_NONBLOCK) != 0 || (is_pipe(in) && never_blocks(in)) ||
                       (is_pipe(out) && never_blocks(out));
  return transfer(in, out, takes::out, at_once, __builtin_return_address(0), [&] {
    return real_splice(in, in_offset, out, out_offset, count, flags | SPLICE_F_NONBLOCK);
  });
}

ssize_t tee(int in, int out, std::size_t count, unsigned flags) {
  if (!controlled() || !is_pipe(in) || !is_pipe(out)) return real_tee(in, out, count, flags);
  const bool at_once = (flags & SPLICE_F_NONBLOCK) != 0 || never_blocks(in) || never_blocks(out);
  return transfer(in, out, takes::nothing, at_once, __builtin_return_address(0),
                  [&] { return real_tee(in, out, count, flags | SPLICE_F_NONBLOCK); });
}

ssize_t vmsplice(int fd, const iovec* parts, std::size_t count, unsigned flags) {
  if (!controlled() || !is_pipe(fd)) return real_vmsplice(fd, parts, count, flags);
  const bool reads = (status_flags(fd) & O_ACCMODE) == O_RDONLY;
  return transfer(reads ? fd : -1, reads ? -1 : fd, takes::out, (flags & SPLICE_F_NONBLOCK) != 0,
                  __builtin_return_address(0),
                  [&] { return real_vmsplice(fd, parts, count, flags | SPLICE_F_NONBLOCK); });
}

}  // extern "C"

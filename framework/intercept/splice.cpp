// Moving data between descriptors without reading it: splice, tee, vmsplice, sendfile.
//
// Resource: the pipe that is read, the pipe that is written. A call that reads one pipe and writes
// another is two events in one step, a read and a write.
// Blocks: while a pipe to be read is empty and has a writer; while a pipe to be written is full and
// has a reader. What moves may be less than was asked for.
// Releases: the transfer, on both sides. A tee takes nothing out of what it reads.
//
// The attempt is made with SPLICE_F_NONBLOCK, which concerns pipes alone; sendfile's, and those
// with a socket, with O_NONBLOCK on the pipe or socket for its duration. With a socket, both ends
// are waited for, and there is an event of the pipe only. Async-signal-safe: nothing is allocated,
// no lock is taken.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/socket_delivery.hpp"
#include "framework/intercept/socket_peers.hpp"
#include "framework/intercept/socket_transfer.hpp"

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

// The end that is a socket; -1 if none is.
int socket_among(int in, int out) noexcept {
  return is_socket(in) ? in : is_socket(out) ? out : -1;
}

// Is it one of those that fill up and run empty?
bool has_room(int fd) noexcept { return is_pipe(fd) || is_socket(fd); }

// Whoever is at the socket's other end may go on.
void moved_through_socket(int fd, bool received, ssize_t count) noexcept {
  const auto own = resource_of(fd);
  const auto bytes = static_cast<std::uint64_t>(count);
  received ? are_received(fd, own, bytes) : are_sent(fd, own, peer_of(own), bytes);
  changed_at_both_ends(own);
}

enum class takes : std::uint8_t { out, nothing };

// A transfer from the pipe `in`, to the pipe `out`, or both.
// attempt: the real call, such that it does not wait for a pipe; at_once: so it was meant.
template <class Attempt>
ssize_t transfer(int in, int out, takes what, bool at_once, const void* site,
                 Attempt attempt) noexcept {
  const auto source = pipe_behind(in);
  const auto target = pipe_behind(out);
  const auto socket = socket_among(in, out);
  controlled_call reading{source != no_resource ? operation::read : operation::write,
                          source != no_resource ? source : target, site};
  for (;;) {
    const auto moved = attempt();
    if (moved < 0 && errno == EAGAIN && !at_once && socket >= 0) {
      const std::array either{reading.resource(), resource_of(socket)};
      if (await_delivery(socket, either[1])) continue;
      if (reading.block_on(either, execution::no_deadline) == execution::wake::interrupted)
        return reading.failed(EINTR);
      continue;
    }
    if (moved < 0 && errno == EAGAIN && !at_once) {
      // An empty pipe is waited for first: only what it gives can fill the other one.
      const bool empty = source != no_resource && (ready(in, POLLIN) & (POLLIN | POLLHUP)) == 0;
      auto cause = execution::wake::retry;
      if (empty || source == no_resource || target == no_resource)
        cause = reading.block();
      else
        cause = controlled_call::silent(operation::write, target, site).block();
      if (cause == execution::wake::interrupted) return reading.failed(EINTR);
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
    if (socket >= 0) moved_through_socket(socket, socket == in, moved);
    return moved;
  }
}

ssize_t send_file(int out, int in, off_t* offset, std::size_t count, const void* site) noexcept {
  if (is_socket(out)) return sendfile_socket(out, in, offset, count, site);
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
  const bool at_once = (flags & SPLICE_F_NONBLOCK) != 0 || (has_room(in) && never_blocks(in)) ||
                       (has_room(out) && never_blocks(out));
  const auto attempt = [&] {
    return real_splice(in, in_offset, out, out_offset, count, flags | SPLICE_F_NONBLOCK);
  };
  const auto socket = socket_among(in, out);
  return transfer(in, out, takes::out, at_once, __builtin_return_address(0), [&] {
    return socket < 0 ? attempt() : without_blocking(socket, status_flags(socket), attempt);
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

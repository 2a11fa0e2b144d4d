// Descriptors come and go: close, and the forms of dup.
//
// Resource: the pipe, FIFO, socket, message queue or file behind the descriptor.
// Blocks: a close that lingers (socket_linger.hpp); record locks, which have a family of their own.
// Releases: the close of an end of a pipe, also by a dup2() in its place: others may see the end of
// the data, or that nobody reads; likewise of a socket, and a close that drops locks. The close of
// a message queue gives up being notified of messages, which another task may then ask for. Only
// these closes are scheduling points; the events of all others are there to tell which descriptors
// leak. A pipe that is made larger may take what a writer has. Events: before is the descriptor
// that was closed or duplicated, the result of a dup the new one; the second resource is what a dup
// replaced, or the peer of a socket that was closed; after says which locks were dropped
// (framework/trace/record_range.hpp). Async-signal-safe: nothing is allocated, no lock is taken.
#include "framework/intercept/descriptor.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "framework/execution/event_source.hpp"
#include "framework/execution/inherited_pipes.hpp"
#include "framework/intercept/file_lock.hpp"
#include "framework/intercept/message_queue.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/record_lock.hpp"
#include "framework/intercept/socket_connect.hpp"
#include "framework/intercept/socket_delivery.hpp"
#include "framework/intercept/socket_linger.hpp"
#include "framework/intercept/socket_peers.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

// The x86-64 ABI passes an integer behind an ellipsis like any other, so the call may be a plain
// one.
constinit next<int(int, int, void*)> real_fcntl{"fcntl"};
constinit next<decltype(::close)> real_close{"close"};
constinit next<decltype(::dup)> real_dup{"dup"};
constinit next<decltype(::dup2)> real_dup2{"dup2"};
constinit next<decltype(::dup3)> real_dup3{"dup3"};

bool has_other_end(int fd) noexcept { return is_pipe(fd) || is_socket(fd); }

void socket_closed(resource_id socket) noexcept {
  connect_those_without_room(socket);
  changed_at_both_ends(socket);
}

int close_as(int fd, const void* site) noexcept {
  const closing locks(fd);
  const bool socket = is_socket(fd);
  auto call = is_pipe(fd) || socket || locks.releases()
                  ? controlled_call{operation::close, resource_of(fd), site}
                  : controlled_call::silent(operation::close, resource_of(fd), site);
  if (locks.releases()) call.involve(locks.locks());
  if (socket) {
    call.involve(peer_of(call.resource()));
    linger_before_close(call, fd, call.resource());
  }
  const auto result = real_close(fd);
  const auto error = errno;
  execution::forget_event_source(fd);
  ++execution::current_arena()->close_count;
  // Also a close that failed to write something out has closed.
  if (locks.releases()) locks.happened();
  if (socket) socket_closed(call.resource());
  if (result != 0) return call.failed(error);
  return call.completed(0, static_cast<std::uint64_t>(fd), locks.drops());
}

int duplicated(controlled_call& call, int source, int result, std::uint64_t drops = 0) noexcept {
  if (result < 0) return call.failed(errno);
  execution::copy_event_source(source, result);
  ++execution::current_arena()->close_count;  // there may have been one in its place
  return call.completed(result, static_cast<std::uint64_t>(source), drops);
}

int duplicated(int source, int result, const void* site) noexcept {
  auto call = controlled_call::silent(operation::dup, resource_of(source), site);
  return duplicated(call, source, result);
}

// The controller's copy of an end of a pipe is as much in the way of an end of data as the
// original.
int inherited(int source, int result) noexcept {
  if (result < 0 || execution::current_arena() == nullptr) return result;
  execution::copy_event_source(source, result);
  if (has_other_end(result)) execution::note_inherited_pipe(result);
  return result;
}

// To a number of the caller's choice. If that was an end of a pipe, or a file with locks, others
// may notice its close.
template <class Duplicate>
int duplicate_over(int source, int wanted, const void* site, Duplicate real) noexcept {
  const closing locks(wanted);
  if (source == wanted || (!has_other_end(wanted) && !locks.releases()))
    return duplicated(source, real(), site);
  const auto replaced = locks.releases() ? locks.locks() : resource_of(wanted);
  const bool socket = is_socket(wanted);
  controlled_call call{operation::dup, resource_of(source), site};
  call.involve(replaced);
  if (socket) linger_before_close(call, wanted, replaced);
  const auto result = real();
  if (result < 0) return call.failed(errno);
  if (locks.releases())
    locks.happened();
  else if (socket)
    socket_closed(replaced);
  else
    execution::changed(replaced);
  return duplicated(call, source, result, locks.drops());
}

int control(int fd, int command, void* argument, const void* site) noexcept {
  if (is_record_command(command) && controlled())
    return control_records(fd, command, static_cast<struct flock*>(argument), site);
  const bool duplicates = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
  if (duplicates && execution::refused(operation::dup, site)) return -1;
  const auto result = real_fcntl(fd, command, argument);
  // There may be room now for a writer that waits.
  if (command == F_SETPIPE_SZ && result >= 0 && controlled()) execution::changed(resource_of(fd));
  if (!duplicates) return result;
  if (!controlled()) return inherited(fd, result);
  return duplicated(fd, result, site);
}

}  // namespace

readiness readiness_of(int fd) noexcept {
  struct stat status {};
  if (fd < 0 || sys::call(SYS_fstat, fd, sys::address(&status)) < 0) return {};
  if (S_ISSOCK(status.st_mode)) return readiness_of_socket(fd);
  if (S_ISFIFO(status.st_mode) || is_message_queue(fd)) return {resource_of(fd), false};
  return {no_resource, !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)};
}

int close_descriptor(int fd, const void* site) noexcept {
  if (is_message_queue(fd)) return close_message_queue(fd, operation::close, site);
  return close_as(fd, site);
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int close(int fd) {
  if (!controlled()) {
    execution::forget_event_source(fd);
    return real_close(fd);
  }
  return close_descriptor(fd, __builtin_return_address(0));
}

int dup(int fd) noexcept {
  if (execution::refused(operation::dup, __builtin_return_address(0))) return -1;
  const auto result = real_dup(fd);
  if (!controlled()) return inherited(fd, result);
  return duplicated(fd, result, __builtin_return_address(0));
}

int dup2(int fd, int wanted) noexcept {
  if (!controlled()) return inherited(fd, real_dup2(fd, wanted));
  return duplicate_over(fd, wanted, __builtin_return_address(0),
                        [&] { return real_dup2(fd, wanted); });
}

int dup3(int fd, int wanted, int flags) noexcept {
  if (!controlled()) return inherited(fd, real_dup3(fd, wanted, flags));
  return duplicate_over(fd, wanted, __builtin_return_address(0),
                        [&] { return real_dup3(fd, wanted, flags); });
}

int fcntl(int fd, int command, ...) {  // NOLINT
  va_list arguments;
  va_start(arguments, command);
  auto* argument = va_arg(arguments, void*);  // NOLINT: fcntl() is variadic
  va_end(arguments);
  return control(fd, command, argument, __builtin_return_address(0));
}

int fcntl64(int fd, int command, ...) {  // NOLINT
  va_list arguments;
  va_start(arguments, command);
  auto* argument = va_arg(arguments, void*);  // NOLINT: fcntl() is variadic
  va_end(arguments);
  return control(fd, command, argument, __builtin_return_address(0));
}

}  // extern "C"

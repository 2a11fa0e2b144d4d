// Paths: open, which is a rendezvous for FIFOs, and makes new names in directories.
//
// Resource: the inode that the path names. Its model counts the readers that ever opened it. Where
// a file may be made, or somebody has had to do with its name, the place in the directory
// (directory.cpp): only then, and for FIFOs, is an open a scheduling point.
// Blocks: opening a FIFO for reading, until a writer is or was there; for writing, until a reader
// is or was there. O_RDWR and O_NONBLOCK never wait, and what is no FIFO does not either.
// Releases: the open of the other side; the death of anybody (nobody may come any more).
//
// Whoever waits in open() is already there for the kernel: a reader that comes meanwhile finds a
// writer, so it reads EAGAIN and no end of the data. Here, too: both sides get their descriptor
// first, and wait with it in hand.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include "framework/intercept/path.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "framework/execution/inherited_pipes.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/made.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::wake;

// The x86-64 ABI passes an integer behind an ellipsis like any other, so the call may be a plain
// one.
constinit next<int(int, const char*, int, mode_t)> real_openat{"openat"};

// Readers that ever opened the FIFO: one that came and went has still been met.
std::uint64_t& readers_of(resource_id fifo) noexcept {
  return execution::current_arena()->resources[fifo].model[0];
}

struct open_arguments {
  int directory;
  const char* path;
  int flags;
  mode_t mode;

  [[nodiscard]] int access() const noexcept { return flags & O_ACCMODE; }
  [[nodiscard]] bool waits() const noexcept {
    return (flags & O_NONBLOCK) == 0 && access() != O_RDWR;
  }
  [[nodiscard]] int open() const noexcept { return real_openat(directory, path, flags, mode); }
  [[nodiscard]] int open_at_once() const noexcept {
    return real_openat(directory, path, flags | O_NONBLOCK, mode);
  }
};

// Another open of the same file, in the place of that descriptor.
void renew(int fd, const open_arguments& how) noexcept {
  const auto fresh = how.open_at_once();
  if (fresh < 0) return;
  execution::sys::call(SYS_dup3, fresh, fd, how.flags & O_CLOEXEC);
  execution::sys::call(SYS_close, fresh);
}

// Of a FIFO that holds data and did not hang up since this reader opened it: has the writer gone
// before that? Then one more that comes and goes makes it hang up, which a new open forgets.
bool data_is_left_over(int fd, const open_arguments& how) noexcept {
  const auto writer = real_openat(how.directory, how.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0);
  if (writer < 0) return false;
  execution::sys::call(SYS_close, writer);
  if ((ready(fd, 0) & POLLHUP) == 0) return false;
  renew(fd, how);
  return true;
}

// Of a FIFO opened for reading without blocking: is a writer there, or did one come and go?
bool met_a_writer(int fd, const open_arguments& how) noexcept {
  const auto events = ready(fd, POLLIN);
  if ((events & POLLHUP) != 0) return true;
  if ((events & POLLIN) != 0) return !data_is_left_over(fd, how);
  // The FIFO is empty, so this takes nothing: 0 is the end of a FIFO without a writer.
  char nothing = 0;
  return execution::sys::call(SYS_read, fd, execution::sys::address(&nothing), 1) == -EAGAIN;
}

void opened(controlled_call& call, int fd, const open_arguments& how) noexcept {
  call.concern(execution::resource_of(fd, resource_kind::fifo));
  if (how.access() != O_WRONLY) ++readers_of(call.resource());
}

int interrupted() noexcept {
  errno = EINTR;
  return -1;
}

// A signal has interrupted the wait for the other side, which may have seen this one come already.
int give_up(controlled_call& call, int fd, const open_arguments& how) noexcept {
  execution::sys::call(SYS_close, fd);
  if (how.access() != O_WRONLY) --readers_of(call.resource());
  execution::changed(call.resource());
  return interrupted();
}

int open_for_reading(controlled_call& call, const open_arguments& how) noexcept {
  const auto fd = how.open_at_once();
  if (fd < 0) return -1;
  opened(call, fd, how);
  execution::changed(call.resource());
  while (!met_a_writer(fd, how))
    if (call.block() == wake::interrupted) return give_up(call, fd, how);
  return fd;
}

// The write end of a FIFO without a reader, which the kernel refuses to give: it is opened while a
// descriptor of both ends stands in for the reader. It gets that one's number, the lowest free one,
// as in a plain open().
int open_without_reader(const open_arguments& how) noexcept {
  const auto both = real_openat(how.directory, how.path,
                                (how.flags & ~O_ACCMODE) | O_RDWR | O_NONBLOCK, how.mode);
  if (both < 0) return -1;
  const auto writer = how.open_at_once();
  if (writer >= 0) {
    execution::sys::call(SYS_dup3, writer, both, how.flags & O_CLOEXEC);
    execution::sys::call(SYS_close, writer);
    return both;
  }
  execution::sys::call(SYS_close, both);
  return -1;
}

int open_for_writing(controlled_call& call, const open_arguments& how) noexcept {
  for (;;) {
    auto fd = how.open_at_once();
    if (fd >= 0 || errno != ENXIO) {
      if (fd >= 0) opened(call, fd, how);
      return fd;
    }
    fd = open_without_reader(how);
    if (fd >= 0) {
      opened(call, fd, how);
      const auto before = readers_of(call.resource());
      while (readers_of(call.resource()) == before && (ready(fd, POLLOUT) & POLLERR) != 0)
        if (call.block() == wake::interrupted) return give_up(call, fd, how);
      return fd;
    }
    if (call.block() == wake::interrupted)
      return interrupted();  // it may not be read, or there are no descriptors: it tries again,
                             // unseen
  }
}

// Called after its path, unless it has a name: the scenario made it, before anybody listened.
resource_id fifo_at(int directory, const char* path) noexcept {
  const auto fifo = resource_at_path(directory, path, resource_kind::fifo);
  auto& resources = execution::current_arena()->resources;
  if (fifo != no_resource && resources[fifo].name[0] == '\0') resources.set_name(fifo, path);
  return fifo;
}

int open_fifo(const open_arguments& how, const void* site) noexcept {
  controlled_call call{operation::open, fifo_at(how.directory, how.path), site};
  if (const auto error = call.refusal(only(fault_kind::enospc)); error != 0)
    return call.failed(error);
  if (!how.waits()) {
    const auto fd = how.open();
    if (fd >= 0) opened(call, fd, how);
    return ended(call, fd, errno);
  }
  const auto fd =
      how.access() == O_RDONLY ? open_for_reading(call, how) : open_for_writing(call, how);
  if (fd < 0) return call.failed(errno);
  set_status_flags(fd, status_flags(fd) & ~O_NONBLOCK);
  return call.completed(fd);
}

// Would it make the file, or must it? One who looks may find it there, or may not. The same of
// whoever only opens what is there, if the execution has had to do with that name.
bool concerns_name(const open_arguments& how) noexcept {
  if ((how.flags & O_CREAT) != 0 &&
      ((how.flags & O_EXCL) != 0 || !names_anything(how.directory, how.path)))
    return true;
  return (how.flags & O_PATH) == 0 &&
         execution::known_entry_of(how.directory, how.path) != no_resource;
}

int open_name(const open_arguments& how, const void* site) noexcept {
  const auto entry = execution::entry_of(how.directory, how.path);
  controlled_call call{operation::open, entry, site};
  call.asks(0, number_of(asked_to_make(how.flags, how.mode)));
  const bool makes = !names_anything(how.directory, how.path);
  if (const auto error = call.refusal(makes ? 0 : only(fault_kind::enospc)); error != 0)
    return call.failed(error);
  const auto fd = how.open();
  if (fd < 0) return call.failed(errno);
  if (makes) {
    call.involve(resource_of(fd));
    if ((how.flags & O_EXCL) != 0) set_made_alone(entry, true);
    return call.completed(fd);
  }
  call.concern(resource_of(fd));
  call.involve(entry);
  call.asks(0, 0);
  return call.completed(fd);
}

int open_path(int directory, const char* path, int flags, mode_t mode, const void* site) noexcept {
  if (!controlled()) {
    const auto fd = real_openat(directory, path, flags, mode);
    if (fd >= 0 && execution::current_arena() != nullptr && is_pipe(fd))
      execution::note_inherited_pipe(fd);
    return fd;
  }
  if ((flags & O_PATH) == 0 && names_fifo(directory, path))
    return open_fifo({directory, path, flags, mode}, site);
  if (concerns_name({directory, path, flags, mode}))
    return open_name({directory, path, flags, mode}, site);
  if (execution::refused(operation::open, site, only(fault_kind::enospc))) return -1;
  const auto fd = real_openat(directory, path, flags, mode);
  auto call =
      controlled_call::silent(operation::open, fd >= 0 ? resource_of(fd) : no_resource, site);
  return ended(call, fd, errno);
}

// The mode is there only if the flags ask for a new file.
mode_t mode_of(int flags, va_list arguments) noexcept {
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return makes ? va_arg(arguments, mode_t) : 0;  // NOLINT: open() is variadic
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// What open() is when its caller was built with _FORTIFY_SOURCE and gave no mode.
int __open_2(const char* path, int flags);                     // NOLINT
int __open64_2(const char* path, int flags);                   // NOLINT
int __openat_2(int directory, const char* path, int flags);    // NOLINT
int __openat64_2(int directory, const char* path, int flags);  // NOLINT

int __open64_2(const char* path, int flags) {  // NOLINT
  return open_path(AT_FDCWD, path, flags, 0, __builtin_return_address(0));
}

int __open_2(const char* path, int flags) {  // NOLINT
  return open_path(AT_FDCWD, path, flags, 0, __builtin_return_address(0));
}

int __openat64_2(int directory, const char* path, int flags) {  // NOLINT
  return open_path(directory, path, flags, 0, __builtin_return_address(0));
}

int __openat_2(int directory, const char* path, int flags) {  // NOLINT
  return open_path(directory, path, flags, 0, __builtin_return_address(0));
}

int creat(const char* path, mode_t mode) {
  return open_path(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, __builtin_return_address(0));
}

int creat64(const char* path, mode_t mode) {
  return open_path(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, __builtin_return_address(0));
}

int open(const char* path, int flags, ...) {  // NOLINT
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_path(AT_FDCWD, path, flags, mode, __builtin_return_address(0));
}

int open64(const char* path, int flags, ...) {  // NOLINT
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_path(AT_FDCWD, path, flags, mode, __builtin_return_address(0));
}

int openat(int directory, const char* path, int flags, ...) {  // NOLINT
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_path(directory, path, flags, mode, __builtin_return_address(0));
}

int openat64(int directory, const char* path, int flags, ...) {  // NOLINT
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_path(directory, path, flags, mode, __builtin_return_address(0));
}

}  // extern "C"

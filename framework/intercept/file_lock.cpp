// flock: one lock for a whole file, shared or exclusive.
//
// Resource: the flock of the file, by its inode. It belongs to the open file description, which
// copies of the descriptor and children share: it has no owner that is a task.
// Blocks: flock, while the real attempt with LOCK_NB says EWOULDBLOCK.
// Releases: LOCK_UN through any descriptor of the open file, the close of the last one, the death
// of whoever has the last one, and every conversion: the old lock is given up before the new one is
// asked for, and is lost if that must wait or fails. Becoming shared lets other sharers in.
// Async-signal-safe: nothing is allocated, no lock but the caller's is taken.
#include "framework/intercept/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "framework/execution/identity.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/record_lock.hpp"
#include "framework/trace/record_range.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::flock)> real_flock{"flock"};

// Somebody waits, and a conversion would give up what it waits for.
bool conversion_shows(int fd, resource_id locks) noexcept {
  return locks != no_resource && !execution::current_arena()->resources[locks].waiters.empty() &&
         open_file_owns(fd, flock_in_proc);
}

int unlock_file(int fd, int how, const void* site) noexcept {
  controlled_call call{operation::file_unlock, execution::locks_of(fd, resource_kind::file_lock),
                       site};
  if (real_flock(fd, how) != 0) return call.failed(errno);
  return call.completed(0);
}

int lock_file(int fd, int how, const void* site) noexcept {
  const auto locks = execution::locks_of(fd, resource_kind::file_lock);
  controlled_call call{operation::flock, locks, site};
  call.asks((how & ~LOCK_NB) == LOCK_SH ? 1 : 0, (how & LOCK_NB) != 0 ? 1 : 0);
  for (;;) {
    const auto gives_up = conversion_shows(fd, locks);
    const auto result = real_flock(fd, how | LOCK_NB);
    const auto error = errno;
    if (gives_up) execution::changed(locks);
    if (result == 0) return call.completed_without_waking(0);
    if (error != EWOULDBLOCK || (how & LOCK_NB) != 0) return call.failed(error);
    if (call.block() == execution::wake::interrupted) return call.failed(EINTR);
  }
}

}  // namespace

bool open_file_owns(int fd, std::string_view sort) noexcept {
  std::array<char, 40> path{};
  constexpr std::string_view folder = "/proc/self/fdinfo/";
  auto* end = std::copy(folder.begin(), folder.end(), path.data());
  std::to_chars(end, path.data() + path.size() - 1, fd);
  const auto info =
      sys::call(SYS_openat, AT_FDCWD, sys::address(path.data()), O_RDONLY | O_CLOEXEC);
  if (info < 0) return true;
  std::array<char, 4096> text;  // NOLINT: written before it is read
  const auto got = sys::call(SYS_read, info, sys::address(text.data()), text.size());
  sys::call(SYS_close, info);
  // More locks than fit: the one that is asked for may be among the rest.
  if (got <= 0 || static_cast<std::size_t>(got) == text.size()) return true;
  return std::string_view(text.data(), static_cast<std::size_t>(got)).find(sort) !=
         std::string_view::npos;
}

closing::closing(int fd) noexcept
    : flocks_(execution::known_locks_of(fd, resource_kind::file_lock)),
      records_(execution::known_locks_of(fd, resource_kind::record_lock)) {
  if (records_ != no_resource) {
    if (owns_records(records_)) drops_ |= closed_process_records;
    if (open_file_owns(fd, open_file_record_in_proc)) drops_ |= closed_open_file;
    records_dropped_ = drops_ != 0;
  }
  if (flocks_ != no_resource && open_file_owns(fd, flock_in_proc)) drops_ |= closed_open_file;
}

void closing::happened() const noexcept {
  if ((drops_ & closed_process_records) != 0) close_process_records(records_);
  if ((drops_ & closed_open_file) == 0) return;
  if (flocks_ != no_resource) execution::changed(flocks_);
  if (records_ != no_resource) close_open_file_records(records_);
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int flock(int fd, int how) noexcept {
  if (!controlled()) return real_flock(fd, how);
  const auto* site = __builtin_return_address(0);
  return (how & ~LOCK_NB) == LOCK_UN ? unlock_file(fd, how, site) : lock_file(fd, how, site);
}

}  // extern "C"

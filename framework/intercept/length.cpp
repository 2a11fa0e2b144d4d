// The length of shared memory: truncate, ftruncate, fallocate, posix_fallocate.
//
// Resource: the file, if it is used as shared memory; the length of any other file is nobody's
// business.
// Blocks: nothing.
// Releases: the file itself. Whoever touches what lies behind the end dies of SIGBUS, and finds
// zeros where something was punched out. Events: after is the length that the file shall have or at
// least have; before is 0 for the forms of truncate, and 1 + the mode for those of fallocate.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::fallocate)> real_fallocate{"fallocate"};
constinit next<decltype(::ftruncate)> real_ftruncate{"ftruncate"};
constinit next<decltype(::posix_fallocate)> real_posix_fallocate{"posix_fallocate"};
constinit next<decltype(::truncate)> real_truncate{"truncate"};

resource_id shared_memory_behind(int fd) noexcept {
  return controlled() && execution::is_shared_memory(fd) ? execution::memory_behind(fd)
                                                         : no_resource;
}

// A descriptor that gives no access serves to ask, and its close drops no locks.
resource_id shared_memory_at(const char* path) noexcept {
  if (!controlled()) return no_resource;
  const auto fd =
      static_cast<int>(sys::call(SYS_openat, AT_FDCWD, sys::address(path), O_PATH | O_CLOEXEC));
  if (fd < 0) return no_resource;
  const auto memory = shared_memory_behind(fd);
  sys::call(SYS_close, fd);
  return memory;
}

int cut(resource_id memory, off_t length, const void* site, auto real) noexcept {
  if (memory == no_resource) return real();
  controlled_call call{operation::truncate, memory, site};
  call.asks(0, static_cast<std::uint64_t>(length));
  return real() == 0 ? call.completed(0) : call.failed(errno);
}

struct place {
  off_t offset;
  off_t size;
  [[nodiscard]] std::uint64_t end() const noexcept {
    return static_cast<std::uint64_t>(offset) + static_cast<std::uint64_t>(size);
  }
};

int allocate(int fd, int mode, const place& where, const void* site) noexcept {
  const auto memory = shared_memory_behind(fd);
  if (memory == no_resource) return real_fallocate(fd, mode, where.offset, where.size);
  controlled_call call{operation::truncate, memory, site};
  call.asks(1 + static_cast<std::uint64_t>(mode), where.end());
  if (real_fallocate(fd, mode, where.offset, where.size) != 0) return call.failed(errno);
  return call.completed(0);
}

// Returns the error number, and leaves errno alone.
int allocate_as_posix(int fd, const place& where, const void* site) noexcept {
  const auto memory = shared_memory_behind(fd);
  if (memory == no_resource) return real_posix_fallocate(fd, where.offset, where.size);
  controlled_call call{operation::truncate, memory, site};
  call.asks(1, where.end());
  const auto error = real_posix_fallocate(fd, where.offset, where.size);
  return error != 0 ? call.failed_with(error) : call.completed(0);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int fallocate(int fd, int mode, off_t offset, off_t size) {
  return allocate(fd, mode, {offset, size}, __builtin_return_address(0));
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  return allocate(fd, mode, {offset, size}, __builtin_return_address(0));
}

int ftruncate(int fd, off_t length) noexcept {
  return cut(shared_memory_behind(fd), length, __builtin_return_address(0),
             [&] { return real_ftruncate(fd, length); });
}

int ftruncate64(int fd, off64_t length) noexcept {
  return cut(shared_memory_behind(fd), length, __builtin_return_address(0),
             [&] { return real_ftruncate(fd, length); });
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  return allocate_as_posix(fd, {offset, size}, __builtin_return_address(0));
}

int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  return allocate_as_posix(fd, {offset, size}, __builtin_return_address(0));
}

int truncate(const char* path, off_t length) noexcept {
  return cut(shared_memory_at(path), length, __builtin_return_address(0),
             [&] { return real_truncate(path, length); });
}

int truncate64(const char* path, off64_t length) noexcept {
  return cut(shared_memory_at(path), length, __builtin_return_address(0),
             [&] { return real_truncate(path, length); });
}

}  // extern "C"

// POSIX shared memory objects, memory files, and the mappings of a process.
//
// Resource: an object by its name; a mapping by the file behind its descriptor, called after the
// file if it has no name of its own.
// Blocks: nothing.
// Releases: nothing; opening and unlinking are operations because others may look for the name. Who
// makes a memory file (memfd) tells nobody. Mapping is no scheduling point: nobody else can notice
// it. What a task maps and unmaps shared is told in silent events. Mapping goes to the kernel
// directly, because a sanitizer's runtime maps memory before the next definition can be looked up.
// Async-signal-safe.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/made.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/slashed_name.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::shm_open)> real_open{"shm_open"};
constinit next<decltype(::shm_unlink)> real_unlink{"shm_unlink"};
constinit next<decltype(::memfd_create)> real_memfd_create{"memfd_create"};

constexpr long page_size = 4096;

bool failed(long result) noexcept { return result < 0 && result >= -4095; }

resource_id object_called(const char* name) noexcept {
  return execution::resource_named(slashed_name(name).view(), resource_kind::shared_memory);
}

bool is_shared_map(int flags) noexcept {
  const auto type = flags & MAP_TYPE;
  return type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
}

bool was_shared(const void* address) noexcept {
  execution::settle_store();
  return controlled() && execution::is_shared(address);
}

void mapping_changed() noexcept {
  if (execution::current_arena() != nullptr) execution::forget_mappings();
}

void tell(operation op, resource_id resource, const void* address, std::size_t size,
          const void* site) noexcept {
  controlled_call::silent(op, resource, site)
      .completed(0, size, reinterpret_cast<std::uint64_t>(address));  // NOLINT: as a number
}

void* as_pointer(long result) noexcept {
  if (!failed(result)) return reinterpret_cast<void*>(result);  // NOLINT: an address
  errno = static_cast<int>(-result);
  return MAP_FAILED;  // NOLINT: libc's macro
}

void* map(void* wanted, std::size_t size, int protection, int flags, int fd, off_t offset,
          const void* site) noexcept {
  execution::settle_store();
  if (is_shared_map(flags) && execution::refused(operation::map, site))
    return MAP_FAILED;  // NOLINT: libc's macro
  const auto result = offset % page_size != 0
                          ? -long{EINVAL}
                          : sys::call(SYS_mmap, sys::address(static_cast<char*>(wanted)),
                                      static_cast<long>(size), protection, flags, fd, offset);
  mapping_changed();
  auto* address = as_pointer(result);
  if (failed(result) || !controlled() || !is_shared_map(flags)) return address;
  const auto resource = (flags & MAP_ANONYMOUS) != 0 ? no_resource : execution::memory_behind(fd);
  tell(operation::map, resource, address, size, site);
  return address;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int memfd_create(const char* name, unsigned flags) noexcept {
  if (execution::refused(operation::memfd, __builtin_return_address(0))) return -1;
  const auto fd = real_memfd_create(name, flags);
  const auto error = errno;
  if (!controlled()) return fd;
  const auto memory = fd < 0 ? no_resource : execution::memory_behind(fd);
  auto call = controlled_call::silent(operation::memfd, memory, __builtin_return_address(0));
  return fd < 0 ? call.failed(error) : call.completed(fd);
}

void* mmap(void* wanted, std::size_t size, int protection, int flags, int fd,
           off_t offset) noexcept {
  return map(wanted, size, protection, flags, fd, offset, __builtin_return_address(0));
}

void* mmap64(void* wanted, std::size_t size, int protection, int flags, int fd,
             off64_t offset) noexcept {
  return map(wanted, size, protection, flags, fd, offset, __builtin_return_address(0));
}

void* mremap(void* old, std::size_t old_size, std::size_t size, int flags, ...) noexcept {
  void* wanted = nullptr;
  if ((flags & MREMAP_FIXED) != 0) {
    va_list rest;
    va_start(rest, flags);
    wanted = va_arg(rest, void*);
    va_end(rest);
  }
  const bool shared = was_shared(old);
  const auto result =
      sys::call(SYS_mremap, sys::address(static_cast<char*>(old)), static_cast<long>(old_size),
                static_cast<long>(size), flags, sys::address(static_cast<char*>(wanted)));
  mapping_changed();
  auto* address = as_pointer(result);
  if (failed(result) || !shared) return address;
  // A size of zero asks for a second mapping of the same pages: the first one stays.
  const auto* site = __builtin_return_address(0);
  if (old_size != 0) tell(operation::unmap, no_resource, old, old_size, site);
  tell(operation::map, no_resource, address, size, site);
  return address;
}

int munmap(void* address, std::size_t size) noexcept {
  const bool shared = was_shared(address);
  const auto result =
      sys::call(SYS_munmap, sys::address(static_cast<char*>(address)), static_cast<long>(size));
  mapping_changed();
  if (failed(result)) {
    errno = static_cast<int>(-result);
    return -1;
  }
  if (shared) tell(operation::unmap, no_resource, address, size, __builtin_return_address(0));
  return 0;
}

int shm_open(const char* name, int flags, mode_t mode) {
  if (!controlled()) return real_open(name, flags, mode);
  controlled_call call{operation::shm_open, object_called(name), __builtin_return_address(0)};
  call.asks(0, number_of(asked_to_make(flags, mode)));
  const auto never = (flags & O_CREAT) != 0 ? 0 : only(fault_kind::enospc);
  if (const auto error = call.refusal(never); error != 0) return call.failed(error);
  const auto fd = real_open(name, flags, mode);
  if (fd < 0) return call.failed(errno);
  execution::name_descriptor(fd, resource_kind::shared_memory, slashed_name(name).view());
  return call.completed(fd);
}

int shm_unlink(const char* name) {
  if (!controlled()) return real_unlink(name);
  controlled_call call{operation::shm_unlink, object_called(name), __builtin_return_address(0)};
  return real_unlink(name) == 0 ? call.completed(0) : call.failed(errno);
}

}  // extern "C"

// Looks at names: access, stat and their kin. What they say may be over before it is used.
//
// Resource: the place in the directory, whether something is there or not. Most looks are no
// operations: only those at names that the execution has already to do with, or that lie where
// everybody may make some, such as /tmp. A program that starts looks at hundreds of others.
// Blocks and releases: nothing.
//
// The two families of stat are one: what old programs call (__xstat) has a version in front.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

// What <sys/stat.h> has declared in former times only.
using old_stat = int(int, const char*, struct stat*);
using old_stat_at = int(int, int, const char*, struct stat*, int);

constinit next<decltype(::access)> real_access{"access"};
constinit next<decltype(::eaccess)> real_eaccess{"eaccess"};
constinit next<decltype(::faccessat)> real_faccessat{"faccessat"};
constinit next<decltype(::fstatat)> real_fstatat{"fstatat"};
constinit next<decltype(::lstat)> real_lstat{"lstat"};
constinit next<decltype(::stat)> real_stat{"stat"};
constinit next<decltype(::statx)> real_statx{"statx"};
constinit next<old_stat> real_old_stat{"__xstat"};
constinit next<old_stat> real_old_lstat{"__lxstat"};
constinit next<old_stat_at> real_old_fstatat{"__fxstatat"};

template <class Real>
int look(int directory, const char* path, const void* site, Real real) noexcept {
  if (!controlled()) return real();
  const auto entry = execution::entry_looked_at(directory, path);
  if (entry == no_resource) return real();
  controlled_call call{operation::look, entry, site};
  return real() == 0 ? call.completed(0) : call.failed(errno);
}

// The 64 bit forms are the same on this machine.
static_assert(sizeof(struct stat) == sizeof(struct stat64));

struct stat* same(struct stat64* status) noexcept {
  return reinterpret_cast<struct stat*>(status);  // NOLINT: one layout, two names
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int __fxstatat(int version, int directory, const char* path, struct stat* status,  // NOLINT
               int flags) noexcept;
int __fxstatat64(int version, int directory, const char* path, struct stat64* status,  // NOLINT
                 int flags) noexcept;
int __lxstat(int version, const char* path, struct stat* status) noexcept;      // NOLINT
int __lxstat64(int version, const char* path, struct stat64* status) noexcept;  // NOLINT
int __xstat(int version, const char* path, struct stat* status) noexcept;       // NOLINT
int __xstat64(int version, const char* path, struct stat64* status) noexcept;   // NOLINT

int __fxstatat(int version, int directory, const char* path, struct stat* status,  // NOLINT
               int flags) noexcept {
  return look(directory, path, __builtin_return_address(0),
              [&] { return real_old_fstatat(version, directory, path, status, flags); });
}

int __fxstatat64(int version, int directory, const char* path, struct stat64* status,  // NOLINT
                 int flags) noexcept {
  return look(directory, path, __builtin_return_address(0),
              [&] { return real_old_fstatat(version, directory, path, same(status), flags); });
}

int __lxstat(int version, const char* path, struct stat* status) noexcept {  // NOLINT
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_old_lstat(version, path, status); });
}

int __lxstat64(int version, const char* path, struct stat64* status) noexcept {  // NOLINT
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_old_lstat(version, path, same(status)); });
}

int __xstat(int version, const char* path, struct stat* status) noexcept {  // NOLINT
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_old_stat(version, path, status); });
}

int __xstat64(int version, const char* path, struct stat64* status) noexcept {  // NOLINT
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_old_stat(version, path, same(status)); });
}

int access(const char* path, int mode) noexcept {
  return look(AT_FDCWD, path, __builtin_return_address(0), [&] { return real_access(path, mode); });
}

int eaccess(const char* path, int mode) noexcept {
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_eaccess(path, mode); });
}

int euidaccess(const char* path, int mode) noexcept {
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_eaccess(path, mode); });
}

int faccessat(int directory, const char* path, int mode, int flags) noexcept {
  return look(directory, path, __builtin_return_address(0),
              [&] { return real_faccessat(directory, path, mode, flags); });
}

int fstatat(int directory, const char* path, struct stat* status, int flags) noexcept {
  return look(directory, path, __builtin_return_address(0),
              [&] { return real_fstatat(directory, path, status, flags); });
}

int fstatat64(int directory, const char* path, struct stat64* status, int flags) noexcept {
  return look(directory, path, __builtin_return_address(0),
              [&] { return real_fstatat(directory, path, same(status), flags); });
}

int lstat(const char* path, struct stat* status) noexcept {
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_lstat(path, status); });
}

int lstat64(const char* path, struct stat64* status) noexcept {
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_lstat(path, same(status)); });
}

int stat(const char* path, struct stat* status) noexcept {
  return look(AT_FDCWD, path, __builtin_return_address(0), [&] { return real_stat(path, status); });
}

int stat64(const char* path, struct stat64* status) noexcept {
  return look(AT_FDCWD, path, __builtin_return_address(0),
              [&] { return real_stat(path, same(status)); });
}

int statx(int directory, const char* path, int flags, unsigned mask,
          struct statx* status) noexcept {
  return look(directory, path, __builtin_return_address(0),
              [&] { return real_statx(directory, path, flags, mask, status); });
}

}  // extern "C"

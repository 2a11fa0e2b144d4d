// Names in directories: unlink, rename, link, mkdir and their kin. A name that only one can make is
// a lock: a file made with O_EXCL (path.cpp), a link, a directory.
//
// Resource: the place in the directory, whether something is there or not; of a FIFO that is
// unlinked, the FIFO. Its model tells whether a task made something there that only one can make,
// which is then a leak if it stays.
// Blocks: nothing.
// Releases: whoever takes a name away, or puts one there, is noticed by those who look; nobody
// sleeps for it.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/path.hpp"
#include "framework/trace/making.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::link)> real_link{"link"};
constinit next<decltype(::linkat)> real_linkat{"linkat"};
constinit next<decltype(::mkdir)> real_mkdir{"mkdir"};
constinit next<decltype(::mkdirat)> real_mkdirat{"mkdirat"};
constinit next<decltype(::remove)> real_remove{"remove"};
constinit next<decltype(::rename)> real_rename{"rename"};
constinit next<decltype(::renameat)> real_renameat{"renameat"};
constinit next<decltype(::renameat2)> real_renameat2{"renameat2"};
constinit next<decltype(::rmdir)> real_rmdir{"rmdir"};
constinit next<decltype(::symlink)> real_symlink{"symlink"};
constinit next<decltype(::symlinkat)> real_symlinkat{"symlinkat"};
constinit next<decltype(::unlink)> real_unlink{"unlink"};
constinit next<decltype(::unlinkat)> real_unlinkat{"unlinkat"};

struct place {
  int directory;
  const char* path;

  [[nodiscard]] resource_id entry() const noexcept { return execution::entry_of(directory, path); }
};

// A new name that must not have been there.
template <class Make>
int make(operation op, place where, resource_id source, const void* site, Make real) noexcept {
  controlled_call call{op, where.entry(), site};
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  call.involve(source);
  if (real() != 0) return call.failed(errno);
  set_made_alone(call.resource(), true);
  return call.completed(0);
}

// Only a new name that must not have been there stays one that only one can make: the other form
// puts a file where it is meant to stay.
template <class Rename>
int move(place from, place to, bool replaces, const void* site, Rename real) noexcept {
  controlled_call call{operation::rename, from.entry(), site};
  const auto target = to.entry();
  call.involve(target);
  call.asks(replaces ? 0 : rename_must_make, 0);
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  if (real() != 0) return call.failed(errno);
  set_made_alone(target, !replaces && made_alone(call.resource()));
  set_made_alone(call.resource(), false);
  return call.completed(0);
}

template <class Remove>
int remove_name(place where, const void* site, Remove real) noexcept {
  const auto fifo = fifo_itself(where.directory, where.path);
  controlled_call call{operation::unlink, fifo != no_resource ? fifo : where.entry(), site};
  if (real() != 0) return call.failed(errno);
  if (fifo == no_resource) set_made_alone(call.resource(), false);
  return call.completed(0);
}

}  // namespace

bool made_alone(resource_id entry) noexcept {
  return entry != no_resource && execution::current_arena()->resources[entry].model[0] != 0;
}

void set_made_alone(resource_id entry, bool made) noexcept {
  if (entry != no_resource) execution::current_arena()->resources[entry].model[0] = made ? 1 : 0;
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int link(const char* from, const char* to) noexcept {
  if (!controlled()) return real_link(from, to);
  return make(operation::link, {AT_FDCWD, to}, execution::entry_of(AT_FDCWD, from),
              __builtin_return_address(0), [&] { return real_link(from, to); });
}

int linkat(int from_directory, const char* from, int directory, const char* to,
           int flags) noexcept {
  if (!controlled()) return real_linkat(from_directory, from, directory, to, flags);
  return make(operation::link, {directory, to}, execution::entry_of(from_directory, from),
              __builtin_return_address(0),
              [&] { return real_linkat(from_directory, from, directory, to, flags); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (!controlled()) return real_mkdir(path, mode);
  return make(operation::mkdir, {AT_FDCWD, path}, no_resource, __builtin_return_address(0),
              [&] { return real_mkdir(path, mode); });
}

int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  if (!controlled()) return real_mkdirat(directory, path, mode);
  return make(operation::mkdir, {directory, path}, no_resource, __builtin_return_address(0),
              [&] { return real_mkdirat(directory, path, mode); });
}

int remove(const char* path) noexcept {
  if (!controlled()) return real_remove(path);
  return remove_name({AT_FDCWD, path}, __builtin_return_address(0),
                     [&] { return real_remove(path); });
}

int rename(const char* from, const char* to) noexcept {
  if (!controlled()) return real_rename(from, to);
  return move({AT_FDCWD, from}, {AT_FDCWD, to}, true, __builtin_return_address(0),
              [&] { return real_rename(from, to); });
}

int renameat(int from_directory, const char* from, int directory, const char* to) noexcept {
  if (!controlled()) return real_renameat(from_directory, from, directory, to);
  return move({from_directory, from}, {directory, to}, true, __builtin_return_address(0),
              [&] { return real_renameat(from_directory, from, directory, to); });
}

int renameat2(int from_directory, const char* from, int directory, const char* to,
              unsigned flags) noexcept {
  if (!controlled()) return real_renameat2(from_directory, from, directory, to, flags);
  const bool replaces = (flags & RENAME_NOREPLACE) == 0;
  return move({from_directory, from}, {directory, to}, replaces, __builtin_return_address(0),
              [&] { return real_renameat2(from_directory, from, directory, to, flags); });
}

int rmdir(const char* path) noexcept {
  if (!controlled()) return real_rmdir(path);
  return remove_name({AT_FDCWD, path}, __builtin_return_address(0),
                     [&] { return real_rmdir(path); });
}

int symlink(const char* target, const char* path) noexcept {
  if (!controlled()) return real_symlink(target, path);
  return make(operation::link, {AT_FDCWD, path}, no_resource, __builtin_return_address(0),
              [&] { return real_symlink(target, path); });
}

int symlinkat(const char* target, int directory, const char* path) noexcept {
  if (!controlled()) return real_symlinkat(target, directory, path);
  return make(operation::link, {directory, path}, no_resource, __builtin_return_address(0),
              [&] { return real_symlinkat(target, directory, path); });
}

int unlink(const char* path) noexcept {
  if (!controlled()) return real_unlink(path);
  return remove_name({AT_FDCWD, path}, __builtin_return_address(0),
                     [&] { return real_unlink(path); });
}

int unlinkat(int directory, const char* path, int flags) noexcept {
  if (!controlled()) return real_unlinkat(directory, path, flags);
  return remove_name({directory, path}, __builtin_return_address(0),
                     [&] { return real_unlinkat(directory, path, flags); });
}

}  // extern "C"

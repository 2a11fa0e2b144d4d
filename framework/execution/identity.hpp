// Which resource is this? An object in shared memory is (what is mapped, offset), whatever address
// a process sees it at; an object in private memory belongs to its process; a descriptor is its
// inode. Async-signal-safe. For tasks and for the controller while it declares a scenario.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// The resource at an address; made and named on first use.
[[nodiscard]] resource_id resource_at(const void* address, resource_kind kind) noexcept;

// The futex at an address. One for processes is known by what is mapped there; a private one is
// another futex even if its memory is shared, and only this process's threads meet at it.
[[nodiscard]] resource_id futex_at(const void* address, bool is_private) noexcept;

// Is it open on a POSIX message queue? On Linux these are the files of a file system of their own.
[[nodiscard]] bool is_message_queue(int descriptor) noexcept;

// The pipe, FIFO, message queue, socket or file behind a descriptor; no_resource if the
// descriptor is not open. Only a kind that is `file` is put right if it is one of the others.
[[nodiscard]] resource_id resource_of(int descriptor, resource_kind kind) noexcept;

// The same without its kind, or no_resource if nobody has had to do with it.
[[nodiscard]] resource_id known_resource_of(int descriptor) noexcept;

// The file behind a descriptor, as shared memory. Called after the last part of its path, unless it
// has a name. no_resource if the descriptor is not open.
[[nodiscard]] resource_id memory_behind(int descriptor) noexcept;

// Is it used as such? Memory files are, others once somebody has mapped them.
[[nodiscard]] bool is_shared_memory(int descriptor) noexcept;

// The locks on the file behind a descriptor: kind is file_lock or record_lock. Made on first use,
// and called after the last part of the file's path. no_resource if the descriptor is not open.
[[nodiscard]] resource_id locks_of(int descriptor, resource_kind kind) noexcept;

// The same, or no_resource if nobody has ever locked it.
[[nodiscard]] resource_id known_locks_of(int descriptor, resource_kind kind) noexcept;

// The place in a directory that a path names, whether something is there or not. Called after the
// path. no_resource if there is no such directory.
[[nodiscard]] resource_id entry_of(int directory, const char* path) noexcept;

// The same, or no_resource if nobody has had to do with it.
[[nodiscard]] resource_id known_entry_of(int directory, const char* path) noexcept;

// The same for whoever only looks: no_resource also if it lies where not everybody may make names,
// unless somebody has had to do with it.
[[nodiscard]] resource_id entry_looked_at(int directory, const char* path) noexcept;

// The resource with a name of its own (a logical one, a semaphore or segment before it is mapped).
[[nodiscard]] resource_id resource_named(std::string_view name, resource_kind kind) noexcept;

// The System V object with that id, in the name space of its kind; no_resource for no possible id.
// Called after its kind and numbered in the order of first use, as ids differ from run to run.
[[nodiscard]] resource_id system_v_object(int id, resource_kind kind) noexcept;

// The key that leads to an object of that kind. Called after its value if that is below 2^24: those
// that ftok(3) makes are not, and depend on the inode of a file, which differs from run to run.
[[nodiscard]] resource_id system_v_key(int key, resource_kind kind) noexcept;

// Gives [address, address + size) a name: resources in it are called after it, with their offset
// where it is not zero. To be called before the memory is used.
void name_memory(const void* address, std::size_t size, std::string_view name) noexcept;

// Names the resource behind a descriptor.
void name_descriptor(int descriptor, resource_kind kind, std::string_view name) noexcept;

// Is the address in memory that other processes may share?
[[nodiscard]] bool is_shared(const void* address) noexcept;

}  // namespace forkloom::execution

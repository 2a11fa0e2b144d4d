// What the three families of System V objects have in common: objects are found by a key, known by
// an id, and removed while others use them. Async-signal-safe.
#pragma once

#include <sys/ipc.h>

#include <cerrno>

#include "framework/execution/identity.hpp"
#include "framework/intercept/virtual_time.hpp"
#include "framework/trace/making.hpp"

namespace forkloom::intercept::system_v {

using execution::controlled;
using execution::controlled_call;

// semget, msgget and shmget. The key is what is contended for: two that make the same one race. An
// object without a key can be noticed by nobody yet, so it is made without a scheduling point.
// get(flags): the call itself with these flags, or with none, to look whether there is one already.
// The event has before as framework/trace/making.hpp says, after = 1 if this call made the object,
// and the object as its second resource.
template <class Get>
int get(operation op, resource_kind kind, key_t key, int flags, const void* site,
        Get get) noexcept {
  if (!controlled()) {
    const int id = get(flags);
    // What a scenario makes before its processes begin is known by its number from there on.
    if (execution::current_arena() != nullptr)
      static_cast<void>(execution::system_v_object(id, kind));
    return id;
  }
  const bool has_key = key != IPC_PRIVATE;
  auto call = has_key ? controlled_call(op, execution::system_v_key(key, kind), site)
                      : controlled_call::silent(op, no_resource, site);
  const making how{.may_make = !has_key || (flags & IPC_CREAT) != 0,
                   .must_make = !has_key || (flags & IPC_EXCL) != 0,
                   .mode = static_cast<std::uint32_t>(flags & 0777)};
  const auto never = !has_key || (flags & IPC_CREAT) != 0 ? 0 : only(fault_kind::enospc);
  if (const auto error = call.refusal(never); error != 0) return call.failed(error);
  const bool makes = !has_key || ((flags & IPC_CREAT) != 0 && get(0) < 0 && errno == ENOENT);
  const int id = get(flags);
  if (id < 0) return call.failed(errno);
  const auto object = execution::system_v_object(id, kind);
  if (has_key)
    call.involve(object);
  else
    call.concern(object);
  call.completed(0, number_of(how), makes ? 1 : 0);
  return id;
}

// How a try fails. Who had already waited when the object was removed is told so; who comes later
// finds that there is none.
inline int failed(controlled_call& call, bool has_waited, int error) noexcept {
  return call.failed(has_waited && error == EINVAL ? EIDRM : error);
}

// The kernel stamps objects with real time, which nobody under control sees otherwise. When what
// happened is kept in the resource's model; what happened before the processes began, happened as
// the virtual clock started.
inline std::time_t seconds(std::uint64_t monotonic_ns) noexcept {
  return static_cast<std::time_t>((monotonic_ns + execution::realtime_offset_ns) / ns_per_s);
}

enum class stamp : std::uint8_t { first, second, change };  // the kernel's *_ctime is the change

inline std::uint64_t& kept(resource_id object, stamp which) noexcept {
  return execution::current_arena()->resources[object].model[static_cast<std::size_t>(which)];
}

inline void happened(resource_id object, stamp which) noexcept {
  kept(object, which) = execution::now_ns();
}

inline void show(resource_id object, stamp which, std::time_t& real) noexcept {
  if (real == 0) return;  // it has not happened at all
  const auto when = kept(object, which);
  real = seconds(when == 0 ? execution::clock_start_ns : when);
}

}  // namespace forkloom::intercept::system_v

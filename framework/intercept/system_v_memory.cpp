// System V shared memory: segments.
//
// Resource: the segment, by its id; shmget concerns the key. What lies in an attached segment is
// found by its offset in it, whatever address it is attached at.
// Blocks: nothing.
// Releases: nothing. Attaching and detaching are operations because others may look at the number
// of those attached, and because a segment that was removed goes with the last of them.
// Async-signal-safe.
#include <sys/shm.h>

#include "framework/execution/mappings.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/system_v.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using system_v::stamp;

constinit next<decltype(::shmget)> real_get{"shmget"};
constinit next<decltype(::shmat)> real_attach{"shmat"};
constinit next<decltype(::shmdt)> real_detach{"shmdt"};
constinit next<decltype(::shmctl)> real_ctl{"shmctl"};

resource_id segment_of(int id) noexcept {
  return execution::system_v_object(id, resource_kind::system_v_memory);
}

// The segment that is attached at an address; no_resource if none is.
resource_id segment_at(const void* address) noexcept {
  const auto* m = execution::shared_mapping_at(reinterpret_cast<std::uint64_t>(address));  // NOLINT
  return m == nullptr ? no_resource : segment_of(static_cast<int>(m->segment));
}

bool attached(const void* address) noexcept {
  return reinterpret_cast<std::intptr_t>(address) != -1;  // NOLINT: as shmat(2) says
}

void mapping_changed() noexcept {
  if (execution::current_arena() != nullptr) execution::forget_mappings();
}

// As the events of other mappings: how many bytes, and where.
void tell_place(controlled_call& call, const void* address) noexcept {
  call.asks(execution::shared_bytes_from(address),
            reinterpret_cast<std::uint64_t>(address));  // NOLINT: as a number
}

// The others tell of the whole system, or take an index for an id.
bool concerns_segment(int command) noexcept {
  return command < IPC_INFO || command == SHM_LOCK || command == SHM_UNLOCK;
}

// Before a segment is removed: its key can then be used for another one.
void involve_key(controlled_call& call, int id) noexcept {
  shmid_ds status{};
  if (real_ctl(id, IPC_STAT, &status) == 0 && status.shm_perm.__key != IPC_PRIVATE)
    call.involve(execution::system_v_key(status.shm_perm.__key, resource_kind::system_v_memory));
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

void* shmat(int id, const void* wanted, int flags) noexcept {
  if (!controlled()) {
    auto* address = real_attach(id, wanted, flags);
    mapping_changed();
    return address;
  }
  const auto segment = segment_of(id);
  controlled_call call{operation::shmat, segment, __builtin_return_address(0)};
  const auto refusal = call.refusal();
  auto* const nothing = reinterpret_cast<void*>(-1);  // NOLINT: as shmat(2) says
  auto* address = refusal != 0 ? nothing : real_attach(id, wanted, flags);
  if (!attached(address)) {
    call.failed(refusal != 0 ? refusal : errno);
    return address;
  }
  mapping_changed();
  tell_place(call, address);
  system_v::happened(segment, stamp::first);
  call.completed(0);
  return address;
}

int shmctl(int id, int command, shmid_ds* status) noexcept {
  if (!controlled()) return real_ctl(id, command, status);
  const auto segment = concerns_segment(command) ? segment_of(id) : no_resource;
  controlled_call call{operation::shmctl, segment, __builtin_return_address(0)};
  call.asks(static_cast<std::uint64_t>(command), 0);
  if (command == IPC_RMID) involve_key(call, id);
  const auto result = real_ctl(id, command, status);
  if (result < 0) return call.failed(errno);
  if (command == IPC_STAT) {
    system_v::show(segment, stamp::first, status->shm_atime);
    system_v::show(segment, stamp::second, status->shm_dtime);
    system_v::show(segment, stamp::change, status->shm_ctime);
  }
  if (command != IPC_RMID && command != IPC_SET) return call.completed_unchanged(result);
  system_v::happened(segment, stamp::change);
  return call.completed(result);
}

int shmdt(const void* address) noexcept {
  if (!controlled()) {
    const auto result = real_detach(address);
    mapping_changed();
    return result;
  }
  const auto segment = segment_at(address);
  controlled_call call{operation::shmdt, segment, __builtin_return_address(0)};
  tell_place(call, address);
  if (real_detach(address) != 0) return call.failed(errno);
  mapping_changed();
  if (segment != no_resource) system_v::happened(segment, stamp::second);
  return call.completed(0);
}

int shmget(key_t key, std::size_t size, int flags) noexcept {
  return system_v::get(operation::shmget, resource_kind::system_v_memory, key, flags,
                       __builtin_return_address(0),
                       [&](int with) { return real_get(key, size, with); });
}

}  // extern "C"

// pthread barriers, modelled in the arena: no non-blocking form of a wait exists.
//
// Resource: the barrier, by its place. Model: who has arrived in this round, how many rounds are
// over, and who is still inside. The real object is initialised and destroyed, never waited on.
// Blocks: wait, until as many tasks have arrived as the barrier is for; destroy, until the last of
// them has left.
// Releases: the last arrival, to whom the call returns PTHREAD_BARRIER_SERIAL_THREAD; it is one of
// them in glibc, too. A task that dies while it waits has arrived all the same, and never leaves.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <pthread.h>

#include <cstdint>
#include <cstring>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;

constinit next<decltype(::pthread_barrier_init)> real_init{"pthread_barrier_init"};
constinit next<decltype(::pthread_barrier_destroy)> real_destroy{"pthread_barrier_destroy"};
constinit next<decltype(::pthread_barrier_wait)> real_wait{"pthread_barrier_wait"};

resource_id barrier_at(const pthread_barrier_t* barrier) noexcept {
  return execution::resource_at(barrier, resource_kind::barrier);
}

// How many tasks the barrier is for. It is read from the object, and not noted when that is made:
// the scenario's body makes it, or a process that copied its memory at a fork. The third word, in
// every layout since glibc 2.25.
std::uint32_t size_of(const pthread_barrier_t* barrier) noexcept {
  std::uint32_t count = 0;
  constexpr std::size_t offset = 2 * sizeof count;
  static_assert(offset + sizeof count <= sizeof(pthread_barrier_t));
  std::memcpy(&count, reinterpret_cast<const char*>(barrier) + offset, sizeof count);  // NOLINT
  return count;
}

// The words of the resource's model.
struct rounds {
  std::uint64_t& arrived;  // in the round that has begun
  std::uint64_t& over;
  std::uint64_t& inside;  // arrived in any round, and not yet returned
};

rounds model_of(resource_id barrier) noexcept {
  auto& model = execution::current_arena()->resources[barrier].model;
  return {model[0], model[1], model[2]};
}

// A return from the call. Whoever destroys the barrier waits for the last one.
void leave(resource_id barrier) noexcept {
  auto& inside = model_of(barrier).inside;
  if (inside != 0 && --inside == 0) execution::changed(barrier);
}

int wait(pthread_barrier_t* barrier, const void* site) noexcept {
  controlled_call call{operation::barrier_wait, barrier_at(barrier), site};
  const auto resource = call.resource();
  const auto state = model_of(resource);
  ++state.inside;
  if (++state.arrived >= size_of(barrier)) {
    state.arrived = 0;
    ++state.over;
    leave(resource);
    return call.completed(PTHREAD_BARRIER_SERIAL_THREAD);  // completing wakes all that wait
  }
  for (const auto round = state.over; state.over == round;)
    call.block_on({&resource, 1}, no_deadline, false);
  leave(resource);
  return call.completed_without_waking(0);
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_barrier_destroy(pthread_barrier_t* barrier) noexcept {
  if (!controlled()) return real_destroy(barrier);
  controlled_call call{operation::barrier_destroy, barrier_at(barrier),
                       __builtin_return_address(0)};
  while (model_of(call.resource()).inside > 0) call.block();
  const auto result = real_destroy(barrier);
  return result == 0 ? call.completed(0) : call.failed_with(result);
}

int pthread_barrier_init(pthread_barrier_t* barrier, const pthread_barrierattr_t* attributes,
                         unsigned count) noexcept {
  const auto result = real_init(barrier, attributes, count);
  if (!controlled()) return result;
  auto call = controlled_call::silent(operation::barrier_init, barrier_at(barrier),
                                      __builtin_return_address(0));
  if (result != 0) return call.failed_with(result);
  // Rounds go on being counted: a task that is still on its way out of the last one must see that
  // it is over.
  const auto state = model_of(call.resource());
  state.arrived = state.inside = 0;
  ++state.over;
  return call.completed(0);
}

int pthread_barrier_wait(pthread_barrier_t* barrier) noexcept {
  if (!controlled()) return real_wait(barrier);
  return wait(barrier, __builtin_return_address(0));
}

}  // extern "C"

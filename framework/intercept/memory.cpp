#include "forkloom/memory.hpp"

#include <cstring>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::memory {
namespace {

using execution::controlled;
using execution::controlled_call;

void before(operation op, const void* place, const void* site) noexcept {
  if (controlled())
    const controlled_call point{op, execution::resource_at(place, resource_kind::memory), site};
}

// The resource is still the pending one: nothing has come between.
controlled_call after(operation op, const void* site) noexcept {
  const auto& task = (*execution::current_arena())[execution::self()];
  return controlled_call::silent(op, task.pending_resource, site);
}

}  // namespace

void before_load(const void* place) noexcept {
  before(operation::load, place, __builtin_return_address(0));
}
void before_store(const void* place) noexcept {
  before(operation::store, place, __builtin_return_address(0));
}
void before_modify(const void* place) noexcept {
  before(operation::modify, place, __builtin_return_address(0));
}

void after_load(const void* /*place*/, std::uint64_t value) noexcept {
  if (controlled()) after(operation::load, __builtin_return_address(0)).completed(0, value, value);
}
void after_store(const void* /*place*/, std::uint64_t replaced, std::uint64_t value) noexcept {
  if (controlled())
    after(operation::store, __builtin_return_address(0)).completed(0, replaced, value);
}
void after_modify(const void* /*place*/, std::uint64_t replaced, std::uint64_t value) noexcept {
  if (controlled())
    after(operation::modify, __builtin_return_address(0)).completed(0, replaced, value);
}

std::uint64_t digest(const void* bytes, std::size_t size) noexcept {
  std::uint64_t number = 0;
  if (size <= sizeof number) {
    std::memcpy(&number, bytes, size);
    return number;
  }
  for (const auto* p = static_cast<const unsigned char*>(bytes); size > 0; --size, ++p)
    number = strategy::mix(number ^ *p);
  return number;
}

}  // namespace forkloom::memory

#include "forkloom/memory.hpp"

#include <algorithm>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/intercept/instrumented.hpp"

namespace forkloom::memory {
namespace {

using execution::controlled;
using execution::controlled_call;

// Between before_…() and after_…() the caller makes the access itself. If it is instrumented as
// well, that must not be told twice.
[[gnu::tls_model("initial-exec")]] thread_local constinit bool in_marked_access = false;

void before(operation op, const void* place, const void* site) noexcept {
  if (!controlled()) return;
  const controlled_call point{op, execution::resource_at(place, resource_kind::memory), site};
  in_marked_access = true;
}

// The resource is still the pending one: nothing has come between.
controlled_call after(operation op, const void* site) noexcept {
  in_marked_access = false;
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
  return execution::digest(bytes, size);
}

}  // namespace forkloom::memory

namespace forkloom::intercept {

using execution::controlled_call;

constinit bool program_is_instrumented = false;

bool in_marked_access() noexcept { return memory::in_marked_access; }

void tell_buffer_access(operation op, const void* bytes, std::int64_t count,
                        const void* site) noexcept {
  if (!program_is_instrumented || count <= 0) return;
  const auto there = execution::shared_bytes_from(bytes);
  if (there == 0) return;
  const auto size = std::min(there, static_cast<std::uint64_t>(count));
  const memory_access access{.how = memory_access::sort::kernel, .size = size};
  const auto resource = execution::resource_at(bytes, resource_kind::memory);
  const auto now = execution::digest(bytes, size);
  controlled_call::silent(op, resource, site)
      .completed(number_of(access), op == operation::store ? ~now : now, now);
}

void tell_buffer_access(operation op, const iovec* parts, std::size_t part_count,
                        std::int64_t count, const void* site) noexcept {
  if (!program_is_instrumented) return;
  for (std::size_t i = 0; i < part_count && count > 0; ++i) {
    const auto used = std::min(count, static_cast<std::int64_t>(parts[i].iov_len));
    tell_buffer_access(op, parts[i].iov_base, used, site);
    count -= used;
  }
}

}  // namespace forkloom::intercept

// What the interception and the callbacks of instrumented code (framework/memory) tell each other.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "framework/trace/memory_access.hpp"

namespace forkloom::intercept {

// Is any code of this program instrumented? Only then the buffers of calls are told, as what else
// touches them would not be seen. Set by the library of callbacks before main().
extern bool program_is_instrumented;

// Is the thread between before_load() and after_load(), or their like?
[[nodiscard]] bool in_marked_access() noexcept;

// The kernel has read or written `count` bytes of a buffer: an access to it like any other, if it
// lies in shared memory. Nothing is told of a call that failed or moved nothing.
// op: load if the kernel read the bytes, store if it wrote them; what they replaced is not known,
// and taken to be something else. The scheduling point is that of the call. Async-signal-safe;
// errno stays as it is.
void tell_buffer_access(operation op, const void* bytes, std::int64_t count,
                        const void* site) noexcept;

// The same for a buffer in parts, of which the first `count` bytes were used.
void tell_buffer_access(operation op, const iovec* parts, std::size_t part_count,
                        std::int64_t count, const void* site) noexcept;

}  // namespace forkloom::intercept

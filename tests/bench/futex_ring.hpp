// The baseline of a controlled switch: processes that hand a bare futex token round in a ring.
#pragma once

namespace forkloom::bench {

// Seconds that one hand-over takes, among that many processes, on the caller's processors.
[[nodiscard]] double futex_ring_seconds(unsigned processes, unsigned rounds);

}  // namespace forkloom::bench

// Why nobody posts a semaphore any more: whoever should have is dead.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

struct lost_unit {
  std::string words;                  // "clerk 0, which took it last, was killed by a fault at …"
  std::vector<std::size_t> evidence;  // events
};

// The wait is for a semaphore that nothing has changed since a task took it that was killed then.
// Nothing if there was none such, or the kernel gave back what it had (SEM_UNDO). Whether that task
// would have posted it, nobody can know.
[[nodiscard]] std::optional<lost_unit> find_lost_unit(const trace& what, const wait_record& wait);

}  // namespace forkloom::checkers

// Why a wait that never ends was not ended: it began too late.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

struct lost_wake_up {
  std::string words;                  // "a lost wake-up: clerk signalled at a.cpp:12, when …"
  std::vector<std::size_t> evidence;  // events
};

// What would have ended the wait and came before it:
//   - the latest signal or broadcast of the condition, or wake of the futex, if nobody waited then;
//   - the latest delivery of a signal to the waiter's process, of one who waits for signals;
//   - of the same, a standard signal that was sent while it was pending: the two became one.
// Nothing if there is none, or if something like it came later (then it woke somebody else).
[[nodiscard]] std::optional<lost_wake_up> find_lost_wake_up(const trace& what,
                                                            const wait_record& wait);

}  // namespace forkloom::checkers

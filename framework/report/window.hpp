// Which part of an interleaving a reader needs to see.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "forkloom/violation.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::report {

// The tasks whose lanes are shown: all, if there are at most six; else those that the violation
// names, and if it names none, those of its evidence.
[[nodiscard]] std::vector<task_id> shown_tasks(const trace& what, const violation& found);

// Indices of the events to show, ascending. A short interleaving is shown whole; of a longer one,
// the surroundings of the evidence, or the end if there is none. everything: no limit.
[[nodiscard]] std::vector<std::size_t> shown_events(const trace& what, const violation& found,
                                                    std::span<const task_id> tasks,
                                                    bool everything);

}  // namespace forkloom::report

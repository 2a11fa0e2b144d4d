// The interleaving as a table that is read from top to bottom: a column a task, a row an event.
#pragma once

#include <string>

#include "forkloom/violation.hpp"
#include "framework/report/display.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::report {

// Ends with a newline; empty if there are no events. When the lanes do not fit the width, the table
// has one column that names the task in each row.
//
// Marks: "►" before an event of the evidence; "(preempted)" under the last event of a task that
// could have gone on; "⋮" as long as a task is blocked; "⋯" where rows are left out.
[[nodiscard]] std::string lanes(const trace& what, const violation& found, const style& look);

}  // namespace forkloom::report

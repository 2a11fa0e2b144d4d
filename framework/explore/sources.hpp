// Addresses to source lines.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// For every event of a fully recorded trace, finds the innermost line of the user's own code on its
// stack (not Forkloom's, not a system header's), makes it the event's site, and fills in
// trace::sources. Events without a stack keep their site. Must run in a process that has the same
// program at the same addresses as the tasks: the worker. Programs that tasks executed
// (trace::modules) are read from their files; where one has no debug information, its function and
// name stand for the line. Slow on first use: it reads debug information.
void find_sources(trace& t);

// The innermost line of the user's own code on that stack of the trace, "file:line"; "" if there is
// none.
[[nodiscard]] std::string users_line(const trace& t, std::span<const std::uint64_t> stack);

}  // namespace forkloom::explore

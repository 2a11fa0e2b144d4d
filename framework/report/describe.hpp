// Parts of a trace in words.
#pragma once

#include <string>

#include "framework/trace/trace.hpp"

namespace forkloom::report {

// "load account → 100", "lock A → blocked", "read pipe 0 → EAGAIN".
[[nodiscard]] std::string describe(const trace& what, const event& e);

// "exited with 3", "killed by signal 11 (SIGSEGV)", "still alive".
[[nodiscard]] std::string describe(const task_end& end);

// "teller 0 waits for B (lock at bank.cpp:12), held by teller 1": one edge of the wait-for graph.
[[nodiscard]] std::string describe(const trace& what, const wait_record& wait);

// How the whole execution ended; empty if every task ended by itself.
[[nodiscard]] std::string describe_ending(const trace& what);

// "bank.cpp:12" of "src/bank/bank.cpp:12".
[[nodiscard]] std::string short_place(const std::string& place);

// "a", "a and b", "a, b and c".
[[nodiscard]] std::string listed(const std::vector<std::string>& names);

}  // namespace forkloom::report

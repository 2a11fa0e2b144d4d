#include <array>

#include "checkers/checker.hpp"

namespace forkloom::checkers {
namespace {

constexpr std::array<checker, violation_kind_count> table{{
    {"crash", "a task ended by a signal, or by an exception that left its body", check_crash},
    {"deadlock", "tasks wait for each other, and nobody else could help them", check_deadlock},
    {"data_race", "two instrumented accesses to the same bytes that nothing orders",
     check_data_race},
    {"atomicity", "others came between the accesses of a block that should be atomic",
     check_atomicity},
    {"lost_update", "a write overwrote a value that nobody had read", check_lost_update},
    {"not_linearizable", "results that no order of the calls explains", check_not_linearizable},
    {"unchecked_failure", "a call failed, and the program went on as if it had not",
     check_unchecked_failure},
    {"message", "a message was lost or torn; a numbered one handled twice or out of order",
     check_message},
    {"starvation", "a waiter was overtaken more often than the bound allows", check_starvation},
    {"expectation", "an expect() did not hold", check_expectation},
    {"exit", "a process ended with an exit code that is not allowed", check_exit},
    {"lock_order", "locks taken in an order that can deadlock, though it did not",
     check_lock_order},
    {"hang", "a task does not come back, or nothing makes progress", check_hang},
    {"leak", "something outlived the task that made it", check_leak},
    {"permissions",
     "an object or a name that others may open, take first, or change between look and use",
     check_permissions, false},
}};

}  // namespace

std::span<const checker> all() { return table; }

}  // namespace forkloom::checkers

// What a checker found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forkloom {

// The kinds of violation. Their names (see name()) are part of the command's contract.
enum class violation_kind : std::uint8_t {
  expectation,        // an expect() did not hold
  crash,              // a task ended by a signal or by an exception that left its body
  exit,               // a task ended with an exit code that the scenario does not allow
  deadlock,           // tasks wait for each other, and nobody outside them could help
  hang,               // a task does not come back, or nothing makes progress
  lost_update,        // a write overwrote a value that nobody had read
  starvation,         // a waiter was overtaken more often than the bound allows
  leak,               // something outlived the task that made it
  data_race,          // two accesses to the same bytes, not both atomic, that nothing orders
  not_linearizable,   // results that no order of the calls explains
  lock_order,         // locks taken in an order that can deadlock, though it did not
  unchecked_failure,  // a call failed, and the program went on as if it had not
  atomicity,          // others came between the accesses of a block that should be atomic
  message,            // a message was lost or torn
  permissions,        // an object that others may open, or a name that others may take
};

inline constexpr std::size_t violation_kind_count = 15;

// "lost_update", as in the command's JSON.
[[nodiscard]] std::string_view name(violation_kind kind) noexcept;

// The kind with that name; nothing if there is none.
[[nodiscard]] std::optional<violation_kind> violation_kind_named(std::string_view name) noexcept;

struct violation {
  violation_kind kind = violation_kind::expectation;
  std::string message;                // one sentence, with the names of tasks and resources
  std::vector<std::string> tasks;     // names of the tasks involved, without repetition
  std::string resource;               // name of the resource; empty if there is none
  std::vector<std::size_t> evidence;  // indices into the trace's events that prove it, ascending
  std::vector<std::string> details;   // further lines: who waits for what, values, source lines

  friend bool operator==(const violation&, const violation&) = default;
};

}  // namespace forkloom

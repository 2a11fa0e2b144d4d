// Faults: misfortunes that the system may inflict on a program at any time, as choices of the
// strategy. What a call returns because of one is what the kernel could have returned.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "framework/trace/event.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom {

// The numbers stand in traces: append, never reorder.
enum class fault_kind : std::uint8_t {
  kill,
  stop,
  eintr,
  partial,
  eagain,
  enospc,
  emfile,
  enomem,
  full,
  wakeup,
  timeout,
  count_,
};

inline constexpr auto fault_kind_count = static_cast<std::size_t>(fault_kind::count_);

[[nodiscard]] constexpr std::size_t index(fault_kind kind) noexcept {
  return static_cast<std::size_t>(kind);
}

// Several kinds, as a bit set.
using fault_set = std::uint32_t;

[[nodiscard]] constexpr fault_set only(fault_kind kind) noexcept {
  return fault_set{1} << index(kind);
}
[[nodiscard]] constexpr bool contains(fault_set set, fault_kind kind) noexcept {
  return (set & only(kind)) != 0;
}

struct fault_description {
  std::string_view name;
  std::string_view where;       // where it may happen, in a few words
  std::string_view what_it_is;  // one or more lines
};

[[nodiscard]] const fault_description& description(fault_kind kind) noexcept;
[[nodiscard]] inline std::string_view name(fault_kind kind) noexcept {
  return description(kind).name;
}

// The one table of what may fail how: the faults after which that call may return an error before
// it has done anything, as its manual page says. eintr: when it would wait.
[[nodiscard]] fault_set faults_of(operation op) noexcept;

// The errno value that stands for it; 0 for kinds that are no error of a call.
[[nodiscard]] int error_of(fault_kind kind) noexcept;

// Of an event of the operation `fault`: before is the kind, after what it struck, which the task
// was doing, or about to do, with the event's resource.
[[nodiscard]] constexpr fault_kind fault_of(const event& e) noexcept {
  return e.before < fault_kind_count ? fault_kind(e.before) : fault_kind::count_;
}
[[nodiscard]] constexpr bool kills_by_fault(const event& e) noexcept {
  return e.op == operation::fault && fault_of(e) == fault_kind::kill;
}

// How often each kind may happen in one execution; 0: not at all.
struct fault_plan {
  std::array<std::uint8_t, fault_kind_count> most{};

  [[nodiscard]] bool empty() const noexcept { return *this == fault_plan{}; }
  friend bool operator==(const fault_plan&, const fault_plan&) = default;
};

}  // namespace forkloom

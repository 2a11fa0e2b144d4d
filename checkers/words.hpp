// How the checkers put a trace into words, so that all reports read alike.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/trace/fault.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

inline constexpr std::size_t no_event = ~std::size_t{0};

// Strings and whole numbers, put together. (Checkers use nothing but the standard library.)
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  std::string all;
  const auto add = [&](const auto& part) {
    if constexpr (std::integral<std::remove_cvref_t<decltype(part)>>)
      all += std::to_string(part);
    else
      all += std::string_view(part);
  };
  (add(parts), ...);
  return all;
}

// " at bank.cpp:12", or "" if the line is not known or there is no event.
[[nodiscard]] std::string at(const trace& what, std::size_t event);

// "lock of account lock at bank.cpp:12".
[[nodiscard]] std::string call(const trace& what, std::size_t event);

// What an event does to that resource: "account lock"; of record locks also which: "accounts.db
// 0–99"; of one of a set (semaphore_locks.hpp) "semaphore 1 of brushes".
[[nodiscard]] std::string thing(const trace& what, const event& e, resource_id resource);

// "a", "a and b", "a, b and c"; of more than four only three are named: "a, b, c and 9 more".
[[nodiscard]] std::string listed(std::span<const std::string> names);

// The names of tasks in the order given, without repetition.
[[nodiscard]] std::vector<std::string> names(const trace& what, std::span<const task_id> tasks);

// The last event of a task, its death apart; no_event if there is none.
[[nodiscard]] std::size_t last_event(const trace& what, task_id task);

// The same of all threads of a process.
[[nodiscard]] std::size_t last_event_of_process(const trace& what, task_id main);

// The task that is the main thread of this one's process; maybe itself.
[[nodiscard]] task_id process_of(const trace& what, task_id task);

// The event that says that the task died, or ended as a thread; no_event if it lives.
[[nodiscard]] std::size_t death_of(const trace& what, task_id task);

// Was the process of that task killed by a fault? That is not the program's doing, and neither is
// what it could not tidy up any more.
[[nodiscard]] bool killed_by_fault(const trace& what, task_id task);
[[nodiscard]] bool killed_by_fault(const trace& what);  // any process

// The event of the fault that killed it; no_event if none did.
[[nodiscard]] std::size_t death_by_fault(const trace& what, task_id task);

// "was killed by a fault at step 12", or "died".
[[nodiscard]] std::string death_in_words(const trace& what, task_id task);

// Indices that exist, ascending, each once.
[[nodiscard]] std::vector<std::size_t> evidence(std::vector<std::size_t> events);

}  // namespace forkloom::checkers

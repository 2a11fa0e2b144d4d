// The bytes of a file that a record lock is about, and how they travel in an event: the call has
// two numbers to tell what it asks for (event::before and event::after), and offsets in files leave
// the highest bit of each free.
#pragma once

#include <cstdint>
#include <string>

#include "framework/trace/event.hpp"

namespace forkloom {

struct record_range {
  // The last byte of a range that reaches to the end of the file, however far that may move.
  static constexpr std::uint64_t end_of_file = ~std::uint64_t{0} >> 1;

  std::uint64_t first = 0;
  std::uint64_t last = end_of_file;  // included
  bool shared = false;               // a read lock
  bool of_open_file = false;         // owned by the open file description, not by the process

  [[nodiscard]] constexpr bool overlaps(const record_range& other) const noexcept {
    return first <= other.last && other.first <= last;
  }

  [[nodiscard]] constexpr bool everything() const noexcept {
    return first == 0 && last == end_of_file;
  }

  friend bool operator==(const record_range&, const record_range&) = default;
};

inline constexpr std::uint64_t record_flag = ~(~std::uint64_t{0} >> 1);

[[nodiscard]] constexpr std::uint64_t first_number(const record_range& r) noexcept {
  return r.first | (r.shared ? record_flag : 0);
}

[[nodiscard]] constexpr std::uint64_t second_number(const record_range& r) noexcept {
  return r.last | (r.of_open_file ? record_flag : 0);
}

// Is the event about a range of record locks?
[[nodiscard]] constexpr bool has_record_range(const event& e) noexcept {
  return e.op == operation::record_lock || e.op == operation::record_trylock ||
         e.op == operation::record_unlock || e.op == operation::record_query;
}

// Requires has_record_range().
[[nodiscard]] constexpr record_range range_of(const event& e) noexcept {
  return {.first = e.before & ~record_flag,
          .last = e.after & ~record_flag,
          .shared = (e.before & record_flag) != 0,
          .of_open_file = (e.after & record_flag) != 0};
}

// A flock(): before says whether it is shared.
[[nodiscard]] constexpr bool is_shared_flock(const event& e) noexcept {
  return e.op == operation::flock && e.before != 0;
}

// What a close, or a dup over a descriptor, took away, as bits of event::after. The locks are the
// event's second resource.
inline constexpr std::uint64_t closed_process_records = 1;  // all that the process had on the file
inline constexpr std::uint64_t closed_open_file = 2;  // those of the open file, if it was the last

[[nodiscard]] constexpr bool drops_locks(const event& e) noexcept {
  return (e.op == operation::close || e.op == operation::dup) && e.after != 0;
}

// "0–99", "512–end", "7".
[[nodiscard]] inline std::string words(const record_range& r) {
  const auto from = std::to_string(r.first);
  if (r.last == record_range::end_of_file) return from + "–end";
  return r.first == r.last ? from : from + "–" + std::to_string(r.last);
}

}  // namespace forkloom

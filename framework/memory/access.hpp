// What a callback does with an address: nothing, if it is private, and that must cost next to
// nothing; else it is an operation. Everything here is async-signal-safe.
//
// A thread remembers of the pages that it touched lately which of them are none of Forkloom's
// business: private ones, and all while the thread is no task. A number that changes with the
// mappings, and with the thread's becoming a task, makes it forget.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "framework/execution/call.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/trace/memory_access.hpp"

namespace forkloom::memory {

using execution::controlled_call;

class known_pages {
 public:
  [[nodiscard]] bool contains(const void* place) const noexcept {
    const auto page = number(place) >> page_bits;
    return entries_[page % entries_.size()] == entry(page);
  }

  void add(const void* place) noexcept {
    const auto page = number(place) >> page_bits;
    entries_[page % entries_.size()] = entry(page);
  }

  [[nodiscard]] static std::uint64_t number(const void* place) noexcept {
    return reinterpret_cast<std::uint64_t>(place);  // NOLINT: an address as a number
  }

 private:
  static constexpr unsigned page_bits = 12;
  static constexpr unsigned generation_bits = 28;  // addresses have 47 bits: 35 for the page

  [[nodiscard]] static std::uint64_t entry(std::uint64_t page) noexcept {
    constexpr std::uint64_t mask = (std::uint64_t{1} << generation_bits) - 1;
    return page << generation_bits | (execution::mappings_generation() & mask);
  }

  std::array<std::uint64_t, 64> entries_{};
};

// Initial-exec: two instructions instead of a call. The library is loaded with the program.
extern thread_local constinit known_pages unwatched [[gnu::tls_model("initial-exec")]];

// The same question, answered by the mappings; remembers the answer.
[[nodiscard]] bool is_watched(const void* place) noexcept;

[[nodiscard]] inline bool watched(const void* place) noexcept {
  if (unwatched.contains(place)) [[likely]]
    return false;
  return is_watched(place);
}

// Accesses that the program makes by itself when the callback has returned. Nothing happens if the
// place is not watched.
void plain_load(const void* place, std::size_t size, const void* site) noexcept;
void plain_store(const void* place, std::size_t size, const void* site) noexcept;
void plain_load_and_store(const void* place, std::size_t size, const void* site) noexcept;

// Writes the event of a load without a scheduling point: one that belongs to the operation at hand.
void tell_load(const void* place, std::size_t size, const void* site) noexcept;

// How many bytes of [place, place + size) are in the mapping of its first one. What is behind it is
// another mapping, or none.
[[nodiscard]] std::size_t bytes_there(const void* place, std::size_t size) noexcept;

// While the count is not 0 the thread's accesses are not told: __tsan_ignore_thread_begin().
void ignore(int by) noexcept;

[[nodiscard]] inline std::int64_t plain(std::size_t size) noexcept {
  return number_of({.how = memory_access::sort::plain, .size = size});
}

}  // namespace forkloom::memory

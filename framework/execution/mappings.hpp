// This process's shared mappings, read from /proc/self/maps: the kernel's own word on what lies
// where. The table is private to the process (a fork copies it, as it copies the mappings) and is
// read again after anything that may have changed a mapping. Async-signal-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace forkloom::execution {

struct mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t object = 0;     // device and inode, mixed
  std::uint64_t offset = 0;     // of `begin` in the object
  std::array<char, 40> file{};  // last component of its path; empty for anonymous memory
  std::int64_t segment = -1;    // the id of a System V segment; -1: it is none
};

// The shared mapping that holds the address; null if the address is private or not mapped.
[[nodiscard]] const mapping* shared_mapping_at(std::uint64_t address) noexcept;

// The next look-up reads the table anew.
void forget_mappings() noexcept;

// A number that changes whenever they are forgotten. A variable, as those read it that ask for each
// access of a program; theirs to read only.
extern std::uint32_t current_mappings_generation;
[[nodiscard]] inline std::uint32_t mappings_generation() noexcept {
  return current_mappings_generation;
}

// Changes that number although the mappings are the same: what was concluded from them no longer
// holds, because the thread has become a task.
inline void reconsider_places() noexcept { ++current_mappings_generation; }

// How many bytes of shared memory are mapped in one piece from that address on; 0 if none are.
[[nodiscard]] std::uint64_t shared_bytes_from(const void* address) noexcept;

// How mappings and descriptors name the inode behind them.
[[nodiscard]] std::uint64_t object_of(std::uint64_t device, std::uint64_t inode) noexcept;

}  // namespace forkloom::execution

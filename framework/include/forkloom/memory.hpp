// Accesses to shared memory as operations. shared<T> is made of these; use them directly for memory
// that you lay out yourself.
//
// Process-safety: any task may call them on memory that it shares with others. Outside of an
// execution, and in the scenario itself, they are plain accesses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forkloom::memory {

// The scheduling point before an access; then the caller makes the access and reports it. `place`
// identifies the object, whose first byte it points to.
void before_load(const void* place) noexcept;
void before_store(const void* place) noexcept;
void before_modify(const void* place) noexcept;

// What the access did. The values are for people and for the checkers: a number as it is, anything
// larger than eight bytes as a digest().
void after_load(const void* place, std::uint64_t value) noexcept;
void after_store(const void* place, std::uint64_t replaced, std::uint64_t value) noexcept;
void after_modify(const void* place, std::uint64_t replaced, std::uint64_t value) noexcept;

// A number that stands for `size` bytes: the bytes themselves up to eight, else a hash of them.
[[nodiscard]] std::uint64_t digest(const void* bytes, std::size_t size) noexcept;

}  // namespace forkloom::memory

// What is known of an access to shared memory that the compiler, or a call's buffer, told of: which
// bytes, and with what memory order. It travels in event::result, which is 0 for the accesses of
// shared<T>: those are made one at a time by design, and have no order of their own.
//
// Where the bytes lie is told by the event's resource (resource_record::object and offset).
#pragma once

#include <cstdint>
#include <string_view>

#include "framework/trace/event.hpp"

namespace forkloom {

// As in C11 and C++11, with their numbers; consume is treated as acquire, as compilers do.
enum class access_order : std::uint8_t { relaxed, consume, acquire, release, acq_rel, seq_cst };

struct memory_access {
  enum class sort : std::uint8_t {
    unmarked,  // made by shared<T>, or no access at all
    plain,     // an ordinary variable, volatile or not
    atomic,
    kernel,  // a system call read or wrote the bytes
  };

  sort how = sort::unmarked;
  access_order order = access_order::relaxed;  // of atomics
  std::uint64_t size = 0;                      // bytes

  [[nodiscard]] constexpr bool acquires() const noexcept {
    return how == sort::atomic && order != access_order::relaxed && order != access_order::release;
  }
  [[nodiscard]] constexpr bool releases() const noexcept {
    return how == sort::atomic && order >= access_order::release;
  }

  friend bool operator==(const memory_access&, const memory_access&) = default;
};

// The number for event::result; never 0 for an access that is marked.
[[nodiscard]] constexpr std::int64_t number_of(const memory_access& access) noexcept {
  return static_cast<std::int64_t>((access.size << 8) |
                                   (static_cast<std::uint64_t>(access.order) << 4) |
                                   static_cast<std::uint64_t>(access.how));
}

// The access that a completed event is; unmarked for every other event. A fence is an atomic access
// of no bytes.
[[nodiscard]] constexpr memory_access access_of(const event& e) noexcept {
  const bool accesses = e.op == operation::load || e.op == operation::store ||
                        e.op == operation::modify || e.op == operation::fence;
  if (!accesses || e.how != outcome::completed || e.error != 0) return {};
  const auto number = static_cast<std::uint64_t>(e.result);
  return {.how = static_cast<memory_access::sort>(number & 15),
          .order = static_cast<access_order>((number >> 4) & 15),
          .size = number >> 8};
}

[[nodiscard]] constexpr bool is_marked(const event& e) noexcept {
  return access_of(e).how != memory_access::sort::unmarked;
}

[[nodiscard]] constexpr std::string_view name(access_order order) noexcept {
  switch (order) {
    case access_order::relaxed:
      return "relaxed";
    case access_order::consume:
      return "consume";
    case access_order::acquire:
      return "acquire";
    case access_order::release:
      return "release";
    case access_order::acq_rel:
      return "acq_rel";
    case access_order::seq_cst:
      break;
  }
  return "seq_cst";
}

}  // namespace forkloom

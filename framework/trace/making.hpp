// With which rights a call that may make an object was asked to make it, as its event tells: in
// event::after of those that go by a name, in event::before of those that go by a key, whose
// `after` says whether they made it.
#pragma once

#include <cstdint>

#include "framework/trace/event.hpp"

namespace forkloom {

struct making {
  bool may_make = false;   // O_CREAT, IPC_CREAT, mkfifo()
  bool must_make = false;  // and O_EXCL, IPC_EXCL
  std::uint32_t mode = 0;  // of what it makes: the umask has been taken off

  // Anybody else may read, write or open it.
  [[nodiscard]] constexpr bool for_everybody() const noexcept { return (mode & 0006) != 0; }

  friend bool operator==(const making&, const making&) = default;
};

[[nodiscard]] constexpr std::uint64_t number_of(const making& m) noexcept {
  if (!m.may_make) return 0;
  return (m.mode & 07777U) | 1U << 12 | (m.must_make ? 1U << 13 : 0);
}

// event::before of a rename to a name that must be free (RENAME_NOREPLACE).
inline constexpr std::uint64_t rename_must_make = 1;

// Nothing was asked to be made by any other event.
[[nodiscard]] constexpr making making_of(const event& e) noexcept {
  std::uint64_t number = 0;
  switch (e.op) {
    case operation::open:
    case operation::mq_open:
    case operation::shm_open:
    case operation::sem_open:
    case operation::mkfifo:
      number = e.after;
      break;
    case operation::semget:
    case operation::shmget:
    case operation::msgget:
      number = e.before;
      break;
    default:
      break;
  }
  return {.may_make = (number & 1U << 12) != 0,
          .must_make = (number & 1U << 13) != 0,
          .mode = static_cast<std::uint32_t>(number & 07777U)};
}

}  // namespace forkloom

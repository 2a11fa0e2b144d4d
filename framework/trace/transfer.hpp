// What the events of transfers tell besides their bytes.
#pragma once

#include <cstdint>

#include "framework/trace/event.hpp"

namespace forkloom {

// Bits of event::after of a receive at a socket.
inline constexpr std::uint64_t received_a_look = 1;     // MSG_PEEK: nothing was taken out
inline constexpr std::uint64_t received_a_message = 2;  // the socket keeps messages apart

// How many bytes a write to a pipe had moved when it blocked for the rest; all of it is then no
// longer one piece.
[[nodiscard]] constexpr std::uint64_t written_before_wait(const event& e) noexcept {
  return e.op == operation::write && e.how == outcome::blocked ? e.before : 0;
}

}  // namespace forkloom

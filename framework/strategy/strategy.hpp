// A strategy decides which enabled task goes next. It knows nothing of IPC, and its whole state is
// a plain value in shared memory, because whichever process yields is the one that asks it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "framework/execution/task_set.hpp"
#include "framework/strategy/pct.hpp"
#include "framework/strategy/random_walk.hpp"
#include "framework/strategy/replay.hpp"
#include "framework/trace/ids.hpp"

namespace forkloom::strategy {

// Each alternative has the same three members:
//
//   void begin(std::uint64_t seed)   a new execution begins; forget the last one
//   task_id pick(const choice&)      which task goes next; must be a member of choice.enabled
//   std::uint64_t draw(bound)        a number in [0, bound), for choices other than tasks
//                                    (which waiter of a condition variable a signal wakes)
//
// and is trivially copyable, so that it may live in the arena.
using state = std::variant<random_walk, pct, replay>;
static_assert(std::is_trivially_copyable_v<state>);

inline void begin(state& s, std::uint64_t seed) noexcept {
  std::visit([&](auto& strategy) { strategy.begin(seed); }, s);
}
inline task_id pick(state& s, const choice& c) noexcept {
  return std::visit([&](auto& strategy) { return strategy.pick(c); }, s);
}
inline std::uint64_t draw(state& s, std::uint64_t bound) noexcept {
  return std::visit([&](auto& strategy) { return strategy.draw(bound); }, s);
}

}  // namespace forkloom::strategy

// A strategy decides which enabled task goes next. It knows nothing of IPC, and its whole state is
// a plain value in shared memory, because whichever process yields is the one that asks it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "framework/execution/task_set.hpp"
#include "framework/strategy/delay_bounded.hpp"
#include "framework/strategy/fair_walk.hpp"
#include "framework/strategy/mutant.hpp"
#include "framework/strategy/pct.hpp"
#include "framework/strategy/pos.hpp"
#include "framework/strategy/random_walk.hpp"
#include "framework/strategy/replay.hpp"
#include "framework/strategy/round_robin.hpp"
#include "framework/strategy/sticky_walk.hpp"
#include "framework/strategy/surw.hpp"
#include "framework/strategy/systematic.hpp"
#include "framework/strategy/user.hpp"
#include "framework/trace/ids.hpp"

namespace forkloom::strategy {

// Each alternative has the same three members:
//
//   void begin(std::uint64_t seed)   a new execution begins; forget the last one
//   task_id pick(const choice&)      which task goes next; must be a member of choice.enabled
//   std::uint64_t draw(bound)        a number in [0, bound), for choices other than tasks
//                                    (which waiter of a condition variable a signal wakes);
//                                    0 is always the undisturbed choice
//
// and may have a fourth, if it does not want that to be a draw below one_in:
//
//   bool chance(std::uint64_t one_in)   does something that disturbs happen?
//
// and is trivially copyable, so that it may live in the arena.
//
// It is no std::variant, because that puts its index behind the largest alternative: a step of the
// small ones would then touch two pages.
class state {
 public:
  state() noexcept = default;
  // As a variant does: any strategy is a state.
  state(const random_walk& s) noexcept : which_(kind::random_walk), walk_(s) {}       // NOLINT
  state(const sticky_walk& s) noexcept : which_(kind::sticky_walk), sticky_(s) {}     // NOLINT
  state(const round_robin& s) noexcept : which_(kind::round_robin), robin_(s) {}      // NOLINT
  state(const replay& s) noexcept : which_(kind::replay), replay_(s) {}               // NOLINT
  state(const systematic& s) noexcept : which_(kind::systematic), systematic_(s) {}   // NOLINT
  state(const delay_bounded& s) noexcept : which_(kind::delay_bounded), delay_(s) {}  // NOLINT
  state(const pct& s) noexcept : which_(kind::pct), pct_(s) {}                        // NOLINT
  state(const pos& s) noexcept : which_(kind::pos), pos_(s) {}                        // NOLINT
  state(const fair_walk& s) noexcept : which_(kind::fair_walk), fair_(s) {}           // NOLINT
  state(const surw& s) noexcept : which_(kind::surw), surw_(s) {}                     // NOLINT
  state(const mutant& s) noexcept : which_(kind::mutant), mutant_(s) {}               // NOLINT
  state(const user& s) noexcept : which_(kind::user), user_(s) {}                     // NOLINT

  template <class Visit>
  decltype(auto) visit(Visit&& visit) noexcept {
    switch (which_) {
      case kind::sticky_walk:
        return visit(sticky_);
      case kind::round_robin:
        return visit(robin_);
      case kind::replay:
        return visit(replay_);
      case kind::systematic:
        return visit(systematic_);
      case kind::delay_bounded:
        return visit(delay_);
      case kind::pct:
        return visit(pct_);
      case kind::pos:
        return visit(pos_);
      case kind::fair_walk:
        return visit(fair_);
      case kind::surw:
        return visit(surw_);
      case kind::mutant:
        return visit(mutant_);
      case kind::user:
        return visit(user_);
      case kind::random_walk:
        break;
    }
    return visit(walk_);
  }

 private:
  enum class kind : std::uint8_t {
    random_walk,
    sticky_walk,
    round_robin,
    replay,
    delay_bounded,
    pct,
    pos,
    fair_walk,
    surw,
    mutant,
    user,
    systematic,
  };

  // The small ones first.
  kind which_ = kind::random_walk;
  random_walk walk_;
  sticky_walk sticky_;
  round_robin robin_;
  replay replay_;
  mutant mutant_;
  surw surw_;
  systematic systematic_;
  delay_bounded delay_;
  pct pct_;
  pos pos_;
  fair_walk fair_;
  user user_;
};
static_assert(std::is_trivially_copyable_v<state>);

inline void begin(state& s, std::uint64_t seed) noexcept {
  s.visit([&](auto& strategy) { strategy.begin(seed); });
}
inline task_id pick(state& s, const choice& c) noexcept {
  return s.visit([&](auto& strategy) { return strategy.pick(c); });
}
inline std::uint64_t draw(state& s, std::uint64_t bound) noexcept {
  return s.visit([&](auto& strategy) { return strategy.draw(bound); });
}
// Once in so many times on average, for the strategies that are random.
inline bool chance(state& s, std::uint64_t one_in) noexcept {
  return s.visit([&](auto& strategy) {
    if constexpr (requires { strategy.chance(one_in); })
      return strategy.chance(one_in);
    else
      return strategy.draw(one_in) + 1 == one_in;
  });
}

}  // namespace forkloom::strategy

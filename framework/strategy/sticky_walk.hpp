// The sticky random walk: whoever runs goes on, but for one step in L.
//
// A uniform choice at every step keeps all tasks about equally far, so a bug that needs one of them
// to get far ahead (a queue to fill up, a whole critical section to pass unseen) hardly ever shows.
// Here the lengths of undisturbed runs are geometrically distributed with mean L.
#pragma once

#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::strategy {

class sticky_walk {
 public:
  sticky_walk() noexcept = default;

  // mean_run: L, at least 1; with 1 it is the uniform walk.
  explicit sticky_walk(std::uint32_t mean_run) noexcept : mean_run_(mean_run) {}

  void begin(std::uint64_t seed) noexcept { random_ = generator(seed); }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    const bool can_go_on = c.enabled.contains(c.current);
    if (can_go_on && !c.yields && random_.below(mean_run_) != 0) return c.current;
    if (can_go_on && c.yields && c.enabled.size() > 1) {
      auto others = c.enabled;
      others.erase(c.current);
      return others.nth(random_.below(others.size()));
    }
    return c.enabled.nth(random_.below(c.enabled.size()));
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

 private:
  std::uint32_t mean_run_ = 10;
  generator random_;
};

}  // namespace forkloom::strategy

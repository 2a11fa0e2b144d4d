// The uniform random walk: at every step each enabled task is equally likely.
#pragma once

#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::strategy {

class random_walk {
 public:
  void begin(std::uint64_t seed) noexcept { random_ = generator(seed); }

  // A task that yields is left out if anybody else is enabled: what it waits for is theirs to do.
  [[nodiscard]] task_id pick(const choice& c) noexcept {
    if (!c.yields || !c.enabled.contains(c.current) || c.enabled.size() == 1)
      return c.enabled.nth(random_.below(c.enabled.size()));
    auto others = c.enabled;
    others.erase(c.current);
    return others.nth(random_.below(others.size()));
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

 private:
  generator random_;
};

}  // namespace forkloom::strategy

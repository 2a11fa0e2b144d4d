// An explicit schedule: the picks are given, and after the last one the first enabled task goes on.
#pragma once

#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::strategy {

class replay {
 public:
  replay() noexcept = default;

  // The picks must stay in place while executions run; they are mapped before any task is forked.
  replay(const task_id* picks, std::uint64_t count) noexcept : picks_(picks), count_(count) {}

  void begin(std::uint64_t seed) noexcept {
    random_ = generator(seed);
    step_ = 0;
    departed_at_ = none;
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    const auto step = step_++;
    if (step < count_) {
      if (c.enabled.contains(picks_[step])) return picks_[step];
      if (departed_at_ == none) departed_at_ = step;
    }
    return c.enabled.contains(c.current) && !c.yields ? c.current : c.enabled.nth(0);
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

  static constexpr std::uint64_t none = ~std::uint64_t{0};

  // The first step whose pick was not enabled; `none` as long as the schedule fits.
  [[nodiscard]] std::uint64_t departed_at() const noexcept { return departed_at_; }

 private:
  const task_id* picks_ = nullptr;
  std::uint64_t count_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t departed_at_ = none;
  generator random_;
};

}  // namespace forkloom::strategy

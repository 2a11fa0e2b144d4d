// A schedule that is followed up to some step, and a random walk from there on: how guided
// exploration goes on from where an execution was interesting.
#pragma once

#include <cstdint>

#include "framework/strategy/replay.hpp"
#include "framework/strategy/sticky_walk.hpp"

namespace forkloom::strategy {

class mutant {
 public:
  mutant() noexcept = default;

  // until: the first step of the walk. mean_run: as of sticky_walk. The schedule must stay in
  // place, as for replay.
  mutant(const schedule& what, std::uint64_t until, std::uint32_t mean_run) noexcept
      : beginning_(what), walk_(mean_run), until_(until) {}

  [[nodiscard]] script& follows() noexcept { return beginning_.follows(); }

  void begin(std::uint64_t seed) noexcept {
    beginning_.begin(seed);
    walk_.begin(seed);
    step_ = 0;
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    return step_++ < until_ ? beginning_.pick(c) : walk_.pick(c);
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept {
    return step_ <= until_ ? beginning_.draw(bound) : walk_.draw(bound);
  }

  // What the schedule says is 0 or 1, however seldom.
  [[nodiscard]] bool chance(std::uint64_t one_in) noexcept {
    return step_ <= until_ ? beginning_.chance(one_in) : walk_.draw(one_in) + 1 == one_in;
  }

 private:
  replay beginning_;
  sticky_walk walk_;
  std::uint64_t until_ = 0;
  std::uint64_t step_ = 0;  // picks so far
};

}  // namespace forkloom::strategy

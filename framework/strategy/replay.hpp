// An explicit schedule: the usual course, but for what the schedule says (see trace/schedule.hpp).
#pragma once

#include <cstdint>
#include <span>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/usual.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom::strategy {

// What a replay reads. It must stay in place while executions run; the controller copies it into
// the arena, where programs that tasks execute find it, too.
struct script {
  std::span<const scheduled_pick> picks;
  std::span<const scheduled_draw> draws;
};

class replay {
 public:
  replay() noexcept = default;
  explicit replay(const script& what) noexcept : script_(what) {}
  explicit replay(const schedule& what) noexcept : script_{what.picks, what.draws} {}
  explicit replay(schedule&&) = delete;  // it would be gone

  [[nodiscard]] script& follows() noexcept { return script_; }

  void begin(std::uint64_t /*seed*/) noexcept {
    step_ = 0;
    nth_draw_ = 0;
    next_pick_ = 0;
    next_draw_ = 0;
    departed_at_ = none;
  }

  // A pick that is not enabled is a departure; the usual one is made instead.
  [[nodiscard]] task_id pick(const choice& c) noexcept {
    const auto step = step_++;
    nth_draw_ = 0;
    if (next_pick_ == script_.picks.size() || script_.picks[next_pick_].step != step)
      return usual_pick(c);
    const auto wanted = script_.picks[next_pick_++].task;
    if (c.enabled.contains(wanted)) return wanted;
    depart(step);
    return usual_pick(c);
  }

  // A value that is out of bounds is a departure, and becomes 0.
  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept {
    if (bound <= 1) return 0;
    const auto value = next_value();
    if (value < bound) return value;
    depart(step_);
    return 0;
  }

  [[nodiscard]] bool chance(std::uint64_t /*one_in*/) noexcept { return draw(2) != 0; }

  static constexpr std::uint64_t none = ~std::uint64_t{0};

  // The first step of a departure; `none` as long as the schedule fits.
  [[nodiscard]] std::uint64_t departed_at() const noexcept { return departed_at_; }

 private:
  // Draws of the schedule that were not made are passed over.
  [[nodiscard]] std::uint64_t next_value() noexcept {
    const auto nth = nth_draw_++;
    for (; next_draw_ < script_.draws.size(); ++next_draw_) {
      const auto& d = script_.draws[next_draw_];
      if (d.step > step_ || (d.step == step_ && d.nth > nth)) return 0;
      if (d.step == step_ && d.nth == nth) return script_.draws[next_draw_++].value;
    }
    return 0;
  }

  void depart(std::uint64_t step) noexcept {
    if (departed_at_ == none) departed_at_ = step;
  }

  script script_;
  std::uint64_t step_ = 0;      // picks so far
  std::uint64_t nth_draw_ = 0;  // draws since the last pick
  std::size_t next_pick_ = 0;
  std::size_t next_draw_ = 0;
  std::uint64_t departed_at_ = none;
};

}  // namespace forkloom::strategy

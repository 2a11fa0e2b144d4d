// Round robin: the tasks take turns in the order of their numbers, q steps each. Nothing about it
// is random, so one execution is as good as a thousand; it is the schedule that a time-sharing
// kernel would come nearest to, and a fast first look.
#pragma once

#include <cstdint>

#include "framework/strategy/choice.hpp"
#include "framework/strategy/random.hpp"
#include "framework/strategy/usual.hpp"

namespace forkloom::strategy {

class round_robin {
 public:
  round_robin() noexcept = default;

  // quantum: q, at least 1.
  explicit round_robin(std::uint32_t quantum) noexcept : quantum_(quantum) {}

  void begin(std::uint64_t seed) noexcept {
    random_ = generator(seed);
    last_ = no_task;
    steps_left_ = 0;
  }

  [[nodiscard]] task_id pick(const choice& c) noexcept {
    const bool goes_on = steps_left_ > 0 && c.enabled.contains(last_) && !c.yields;
    if (!goes_on) {
      last_ = next_in_turn(c.enabled, last_);
      steps_left_ = quantum_;
    }
    --steps_left_;
    return last_;
  }

  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept { return random_.below(bound); }

 private:
  std::uint32_t quantum_ = 1;
  std::uint32_t steps_left_ = 0;
  task_id last_ = no_task;
  generator random_;
};

}  // namespace forkloom::strategy

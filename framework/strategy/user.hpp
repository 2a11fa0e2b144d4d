// A strategy that the user wrote (forkloom/strategy.hpp), without its type.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "forkloom/strategy.hpp"
#include "framework/strategy/choice.hpp"
#include "framework/strategy/random_walk.hpp"

namespace forkloom::strategy {

class user {
 public:
  user() noexcept = default;

  // functions: of a registered strategy, which stay in place. Marks this process, and all that are
  // forked from it, as those that have the code.
  user(const forkloom::detail::strategy_functions& functions, std::uint32_t number,
       bool has_number) noexcept;

  void begin(std::uint64_t seed) noexcept;
  [[nodiscard]] task_id pick(const choice& c) noexcept;
  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) noexcept;

  // The first pick that was not enabled, and its step, counted from 1; another task went instead.
  // Step 0: there was none.
  [[nodiscard]] task_id wrong_pick() const noexcept { return wrong_pick_; }
  [[nodiscard]] std::uint64_t wrong_step() const noexcept { return wrong_step_; }

 private:
  void (*begin_)(void*, std::uint64_t) = nullptr;
  unsigned (*pick_)(void*, const strategy_choice&) = nullptr;
  std::uint64_t (*draw_)(void*, std::uint64_t) = nullptr;
  random_walk instead_;  // where the code is not
  task_id wrong_pick_ = no_task;
  std::uint64_t wrong_step_ = 0;
  std::uint64_t step_ = 0;
  alignas(std::max_align_t) std::array<std::byte, forkloom::detail::strategy_size_max> self_{};
};

}  // namespace forkloom::strategy

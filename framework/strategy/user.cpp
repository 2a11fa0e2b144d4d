// Async-signal-safe, as far as the user's code is.
#include "framework/strategy/user.hpp"

namespace forkloom {
namespace {

const strategy::choice& inner(const void* choice) noexcept {
  return *static_cast<const strategy::choice*>(choice);
}

}  // namespace

std::size_t strategy_choice::size() const noexcept { return inner(inner_).enabled.size(); }

unsigned strategy_choice::enabled(std::size_t k) const noexcept {
  return static_cast<unsigned>(index(inner(inner_).enabled.nth(k)));
}

bool strategy_choice::is_enabled(unsigned task) const noexcept {
  return task < none && inner(inner_).enabled.contains(task_id(task));
}

unsigned strategy_choice::current() const noexcept {
  return static_cast<unsigned>(index(inner(inner_).current));
}

bool strategy_choice::yields() const noexcept { return inner(inner_).yields; }

bool strategy_choice::conflict(unsigned one, unsigned other) const noexcept {
  return inner(inner_).conflict(task_id(one), task_id(other));
}

}  // namespace forkloom

namespace forkloom::strategy {
namespace {

// In a program that a task executes, addresses of the scenario's binary mean nothing. Its copy of
// this word was never set; that of a forked task is its parent's.
bool code_is_here = false;

}  // namespace

user::user(const forkloom::detail::strategy_functions& functions, std::uint32_t number,
           bool has_number) noexcept
    : begin_(functions.begin), pick_(functions.pick), draw_(functions.draw) {
  functions.make(self_.data(), number, has_number);
  code_is_here = true;
}

void user::begin(std::uint64_t seed) noexcept {
  instead_.begin(seed);
  wrong_pick_ = no_task;
  wrong_step_ = 0;
  step_ = 0;
  if (code_is_here && begin_ != nullptr) begin_(self_.data(), seed);
}

task_id user::pick(const choice& c) noexcept {
  const auto step = step_++;
  if (!code_is_here || pick_ == nullptr) return instead_.pick(c);
  const auto number = pick_(self_.data(), strategy_choice(&c));
  const auto picked = task_id(number < strategy_choice::none ? number : strategy_choice::none);
  if (c.enabled.contains(picked)) return picked;
  if (wrong_step_ == 0) {
    wrong_pick_ = picked;
    wrong_step_ = step + 1;
  }
  return instead_.pick(c);
}

std::uint64_t user::draw(std::uint64_t bound) noexcept {
  if (!code_is_here || draw_ == nullptr) return instead_.draw(bound);
  const auto drawn = draw_(self_.data(), bound);
  return drawn < bound ? drawn : 0;
}

}  // namespace forkloom::strategy

#include "framework/explore/selective.hpp"

#include "framework/strategy/random.hpp"

namespace forkloom::explore {

selective::selective(const exploration& how)
    : campaign_seed_(how.seed), interests_(how.measure().interests) {
  // Nothing ran: all tasks have as many lots.
  if (interests_.empty()) interests_.emplace_back();
}

std::optional<attempt> selective::next(std::uint64_t number) {
  const auto seed = strategy::execution_seed(campaign_seed_, number);
  // Not the numbers that the walk itself draws from this seed.
  strategy::generator random(strategy::mix(~seed));
  strategy_spec spec{.which = strategy_family::surw};
  spec.interest = interests_[random.below(interests_.size())];
  return attempt{.strategy = make(spec), .spec = to_string(spec), .seed = seed};
}

}  // namespace forkloom::explore

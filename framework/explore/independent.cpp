#include "framework/explore/independent.hpp"

#include "framework/strategy/random.hpp"

namespace forkloom::explore {

independent::independent(const strategy_spec& spec, const exploration& how)
    : spec_(spec), campaign_seed_(how.seed) {
  if (!needs_estimate(spec_)) return;
  const auto measured = how.measure();
  spec_.k = measured.k;
  tasks_ = measured.n;
}

std::optional<attempt> independent::next(std::uint64_t number) {
  return attempt{.strategy = make(spec_),
                 .spec = to_string(spec_),
                 .seed = strategy::execution_seed(campaign_seed_, number)};
}

std::string independent::guarantee() const { return explore::guarantee(spec_, tasks_); }

}  // namespace forkloom::explore

#include "framework/explore/swarm.hpp"

#include <array>

#include "framework/strategy/random.hpp"

namespace forkloom::explore {
namespace {

using strategy::generator;

constexpr std::array<strategy_family, 8> families{
    strategy_family::random, strategy_family::sticky,     strategy_family::fair,
    strategy_family::pct,    strategy_family::delay,      strategy_family::pos,
    strategy_family::surw,   strategy_family::round_robin};

// Small numbers as often as large ones: 1 … 2, 2 … 4, 4 … 8, up to 2^doublings.
std::uint32_t any_length(generator& random, unsigned doublings) {
  const auto least = std::uint32_t{1} << random.below(doublings);
  return least + static_cast<std::uint32_t>(random.below(least + 1));
}

std::uint32_t any_parameter(strategy_family which, generator& random) {
  switch (which) {
    case strategy_family::sticky:
      return any_length(random, 6);
    case strategy_family::fair:
      return any_length(random, 8);
    case strategy_family::round_robin:
      return any_length(random, 6);
    case strategy_family::pct:
      return 1 + static_cast<std::uint32_t>(random.below(6));
    case strategy_family::delay:
      return 1 + static_cast<std::uint32_t>(random.below(8));
    default:
      return 0;
  }
}

// Each kind of fault is on or off by the toss of a coin, and so are time-outs that race.
hazards some_of(hazards all, generator& random) {
  for (auto& most : all.faults.most)
    if (most != 0 && random.below(2) == 0) most = 0;
  if (all.timeouts == timeout_policy::race && random.below(2) == 0)
    all.timeouts = timeout_policy::idle;
  return all;
}

}  // namespace

swarm::swarm(const exploration& how)
    : campaign_seed_(how.seed), allowed_(how.may_befall), measured_(how.measure()) {
  if (measured_.interests.empty()) measured_.interests.emplace_back();
}

std::optional<attempt> swarm::next(std::uint64_t number) {
  const auto seed = strategy::execution_seed(campaign_seed_, number);
  // Not the numbers that the strategy itself draws from this seed.
  generator random(strategy::mix(~seed));
  strategy_spec spec{.which = families.at(random.below(families.size()))};
  spec.parameter = any_parameter(spec.which, random);
  if (needs_estimate(spec)) spec.k = measured_.k;
  if (spec.which == strategy_family::surw)
    spec.interest = measured_.interests[random.below(measured_.interests.size())];
  return attempt{.strategy = make(spec),
                 .spec = to_string(spec),
                 .seed = seed,
                 .may_befall = number == 0 ? allowed_ : some_of(allowed_, random)};
}

}  // namespace forkloom::explore

// Swarm testing: Groce, Zhang, Eide, Chen, Regehr, "Swarm testing", ISSTA 2012.
//
// Each execution draws its own configuration: which strategy, and with what parameters. One good
// configuration for all executions hides what only an odd one shows.
#pragma once

#include "framework/explore/explorer.hpp"

namespace forkloom::explore {

class swarm final : public explorer {
 public:
  explicit swarm(const exploration& how);

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;
  void learn(const trace&, bool) override {}

 private:
  std::uint64_t campaign_seed_;
  estimate measured_;
};

}  // namespace forkloom::explore

// Swarm testing: Groce, Zhang, Eide, Chen, Regehr, "Swarm testing", ISSTA 2012.
//
// Each execution draws its own configuration: which strategy with what parameters, which of the
// faults that the campaign allows, and whether time-outs race. One good configuration for all
// executions hides what only an odd one shows: a process that may be killed seldom lives to see
// what another fault would do. The first execution has all that is allowed, so a fault that never
// had a chance in a campaign did not lack it for want of being on.
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
  hazards allowed_;
  estimate measured_;
};

}  // namespace forkloom::explore

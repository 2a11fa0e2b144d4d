// How often each fault that was allowed might have happened, and did, over a campaign.
#pragma once

#include <array>
#include <vector>

#include "framework/explore/result.hpp"
#include "framework/trace/fault.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

class fault_tally {
 public:
  explicit fault_tally(const fault_plan& allowed) : allowed_(allowed) {}

  void add(const trace& t);

  // Of the kinds that are allowed, in their order.
  [[nodiscard]] std::vector<fault_count> counts() const;

 private:
  fault_plan allowed_;
  std::array<fault_count, fault_kind_count> all_{};
};

}  // namespace forkloom::explore

// SURW's campaign: for each execution it is drawn anew which operations are interesting.
#pragma once

#include <vector>

#include "framework/explore/explorer.hpp"

namespace forkloom::explore {

class selective final : public explorer {
 public:
  explicit selective(const exploration& how);

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;
  void learn(const trace&, bool) override {}

 private:
  std::uint64_t campaign_seed_;
  std::vector<interest> interests_;
};

}  // namespace forkloom::explore

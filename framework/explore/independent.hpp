// Strategies that learn nothing: each execution is a draw of its own, with its own seed. So any
// execution can be repeated without those before it, and there is no end to them.
#pragma once

#include "framework/explore/explorer.hpp"

namespace forkloom::explore {

class independent final : public explorer {
 public:
  independent(const strategy_spec& spec, const exploration& how);

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;
  void learn(const trace&, bool) override {}
  [[nodiscard]] std::string guarantee() const override;

 private:
  strategy_spec spec_;  // with everything resolved
  std::uint64_t campaign_seed_;
  std::size_t tasks_ = 0;  // 0: not known, not needed
};

}  // namespace forkloom::explore

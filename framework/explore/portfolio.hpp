// A portfolio of strategies: no single one wins everywhere, so the budget is split over several,
// and shifted to those that pay.
//
// Every other execution goes to the strategies in turn, so each has its share whatever happens. The
// ones in between go to the strategy that has paid best of late. What pays is what was not seen
// before: an ordering most, a class a little; and a violation. All of that follows from the seed,
// and nothing from the clock.
//
// The first executions are random walks, which also tell how long executions are, for those that
// need to know it: nothing is run only to be measured.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/explore/explorer.hpp"

namespace forkloom::explore {

class guided;

class portfolio final : public explorer {
 public:
  explicit portfolio(const exploration& how);
  ~portfolio() override;

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;
  void learn(const trace& what, bool violated) override;
  [[nodiscard]] std::string conclusion() const override;

 private:
  struct arm {
    std::string name;
    std::unique_ptr<explorer> explores;
    std::uint64_t uses = 0;
    double pay = 0;  // of late, per execution
  };

  void add(std::string_view name, std::uint64_t seed);
  void measure(const trace& what);
  [[nodiscard]] std::size_t best() const;

  exploration how_;
  estimate measured_;
  interest_book interests_;
  std::vector<arm> arms_;     // at first only random walks and what learns from them
  guided* guided_ = nullptr;  // one of the arms, which learns from all executions
  const coverage_book& seen_;
  std::uint64_t executions_ = 0;
  std::size_t last_ = 0;  // whose the last attempt was
};

}  // namespace forkloom::explore

#include "framework/explore/explorer.hpp"

#include "framework/explore/bounded_dpor.hpp"
#include "framework/explore/dfs.hpp"
#include "framework/explore/dpor.hpp"
#include "framework/explore/guided.hpp"
#include "framework/explore/independent.hpp"
#include "framework/explore/portfolio.hpp"
#include "framework/explore/selective.hpp"
#include "framework/explore/swarm.hpp"

namespace forkloom::explore {

std::unique_ptr<explorer> make_explorer(const strategy_spec& spec, const exploration& how) {
  switch (spec.which) {
    case strategy_family::surw:
      if (spec.interest) return std::make_unique<independent>(spec, how);
      return std::make_unique<selective>(how);
    case strategy_family::guided:
      return std::make_unique<guided>(how);
    case strategy_family::portfolio:
      return std::make_unique<portfolio>(how);
    case strategy_family::swarm:
      return std::make_unique<swarm>(how);
    case strategy_family::dfs:
      return std::make_unique<dfs>(spec.parameter == no_bound ? std::nullopt
                                                              : std::optional(spec.parameter));
    case strategy_family::dpor:
      if (spec.parameter == no_bound) return std::make_unique<dpor>();
      return std::make_unique<bounded_dpor>(spec.parameter);
    default:
      return std::make_unique<independent>(spec, how);
  }
}

}  // namespace forkloom::explore

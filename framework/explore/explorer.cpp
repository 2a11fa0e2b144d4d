#include "framework/explore/explorer.hpp"

#include "framework/explore/independent.hpp"

namespace forkloom::explore {

std::unique_ptr<explorer> make_explorer(const strategy_spec& spec, const exploration& how) {
  return std::make_unique<independent>(spec, how);
}

}  // namespace forkloom::explore

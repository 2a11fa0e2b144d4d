// What a campaign is asked to do, before anything is forked: whether it can be done.
#pragma once

#include "forkloom/options.hpp"
#include "forkloom/registry.hpp"

namespace forkloom::explore {

// Throws usage_error, naming the scenario, its line and the option, if a number is out of range.
void validate(const scenario_info& scenario, const options& how);

}  // namespace forkloom::explore

// rapidcheck with a seed of the test's own: a property is tried on the same cases in every run.
#pragma once

#include <cstdint>
#include <iostream>
#include <utility>

#include "forkloom/rapidcheck_property.hpp"

namespace forkloom::testing {

// Does the property hold in `tries` random cases? If not, the smallest counter-example is printed.
template <class Property>
[[nodiscard]] bool holds(std::uint64_t seed, int tries, Property&& property) {
  forkloom::detail::property cases("", std::forward<Property>(property));
  const auto outcome = cases.hold({.seed = seed, .tries = tries});
  if (!outcome.held) std::cerr << outcome.message;
  return outcome.held;
}

}  // namespace forkloom::testing

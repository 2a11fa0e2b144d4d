// rapidcheck with a seed of the test's own: a property is tried on the same cases in every run. The
// only place that knows rapidcheck's inner functions.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <iostream>
#include <utility>

namespace forkloom::testing {

// Does the property hold in `tries` random cases? If not, the smallest counter-example is printed.
template <class Property>
[[nodiscard]] bool holds(std::uint64_t seed, int tries, Property&& property) {
  rc::detail::TestParams params;
  params.seed = seed;
  params.maxSuccess = tries;
  const auto result = rc::detail::checkTestable(std::forward<Property>(property),
                                                rc::detail::TestMetadata{}, params);
  const bool good = result.template is<rc::detail::SuccessResult>();
  if (!good) rc::detail::printResultMessage(result, std::cerr);
  return good;
}

}  // namespace forkloom::testing

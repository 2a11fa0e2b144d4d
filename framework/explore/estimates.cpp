#include "framework/explore/estimates.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/negative_binomial.hpp>
#include <cmath>
#include <limits>

namespace forkloom::explore {
namespace {

constexpr double risk = 0.05;

double real(std::uint64_t n) { return static_cast<double>(n); }

// As a number of executions: rounded up, and kept within what such a number can be.
std::uint64_t whole(double executions) {
  constexpr double most = 9e18;
  if (std::isnan(executions) || executions <= 0) return 0;
  return static_cast<std::uint64_t>(std::min(std::ceil(executions), most));
}

// How many classes were never seen.
double unseen(std::uint64_t once, std::uint64_t twice) {
  return real(once) * (real(once) - 1) / (2 * (real(twice) + 1));
}

}  // namespace

double classes_estimate(std::uint64_t observed, std::uint64_t once, std::uint64_t twice) {
  return once == 0 ? real(observed) : real(observed) + unseen(once, twice);
}

double new_class_probability(std::uint64_t executions, std::uint64_t once) {
  return executions == 0 ? 1 : real(once) / real(executions);
}

std::uint64_t executions_for_classes(std::uint64_t executions, std::uint64_t observed,
                                     std::uint64_t once, std::uint64_t twice, double share) {
  const double hidden = once == 0 ? 0 : unseen(once, twice);
  const double missing = (1 - share) * (real(observed) + hidden);
  if (hidden <= missing) return 0;
  // Their equation 12, with at least one class seen twice: without any there is no rate to go by.
  return whole(real(executions) * real(once) / (2 * real(std::max<std::uint64_t>(twice, 1))) *
               std::log(hidden / missing));
}

interval failure_interval(std::uint64_t failed, std::uint64_t executions) {
  if (executions == 0) return {};
  using boost::math::binomial_distribution;
  const double n = real(executions);
  const double k = real(failed);
  const bool one_sided = failed == 0 || failed == executions;
  const double tail = one_sided ? risk : risk / 2;
  return {.low = failed == 0 ? 0 : binomial_distribution<>::find_lower_bound_on_p(n, k, tail),
          .high = failed == executions
                      ? 1
                      : binomial_distribution<>::find_upper_bound_on_p(n, k, tail)};
}

interval first_failure_interval(std::uint64_t executions) {
  if (executions == 0) return {};
  using boost::math::negative_binomial_distribution;
  const double n = real(executions);
  if (executions == 1) return {.low = risk, .high = 1};
  return {.low = negative_binomial_distribution<>::find_lower_bound_on_p(n, 1, risk / 2),
          .high = negative_binomial_distribution<>::find_upper_bound_on_p(n, 1, risk / 2)};
}

std::uint64_t executions_to_see(double probability) {
  if (probability >= 1) return 1;
  if (probability <= 0) return std::numeric_limits<std::uint64_t>::max();
  return whole(std::log(risk) / std::log1p(-probability));
}

double schedule_count::log2() const {
  if (walks_.empty()) return 0;
  const double greatest = *std::max_element(walks_.begin(), walks_.end());
  double sum = 0;
  for (const auto walk : walks_) sum += std::exp2(walk - greatest);
  return greatest + std::log2(sum / real(walks_.size()));
}

estimate_summary estimates_from(const coverage_book& seen, const schedule_count& schedules,
                                std::uint64_t failed, bool goes_on) {
  const auto n = seen.executions();
  const auto once = seen.classes_seen_once();
  const auto twice = seen.classes_seen_twice();
  const auto range =
      failed == 1 && !goes_on ? first_failure_interval(n) : failure_interval(failed, n);
  const double failure = n == 0 ? 0 : real(failed) / real(n);
  return {.known = true,
          .schedules_log2 = schedules.known() ? schedules.log2() : -1,
          .classes = classes_estimate(seen.classes(), once, twice),
          .new_class = new_class_probability(n, once),
          .more_for_classes = executions_for_classes(n, seen.classes(), once, twice, 1 - risk),
          .failed = failed,
          .failure = failure,
          .failure_low = range.low,
          .failure_high = range.high,
          .executions_to_see = failed == 0 ? 0 : executions_to_see(failure)};
}

}  // namespace forkloom::explore

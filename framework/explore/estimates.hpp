// What the executions of a campaign let one say about those that were not run.
//
// Everything here takes executions for independent draws. They are for strategies that do not
// learn; for those that do (portfolio, guided) the numbers are as good as the assumption. Of a
// search (dfs, dpor) nothing is estimated: see explorer::samples().
#pragma once

#include <cstdint>
#include <vector>

#include "framework/explore/coverage_book.hpp"
#include "framework/explore/result.hpp"

namespace forkloom::explore {

struct interval {
  double low = 0;
  double high = 1;
};

// How many classes there are at least, if `observed` were seen, of them `once` one time and `twice`
// two times: A. Chao, "Nonparametric estimation of the number of classes in a population",
// Scandinavian Journal of Statistics, 1984, in the bias-corrected form (Chao1).
[[nodiscard]] double classes_estimate(std::uint64_t observed, std::uint64_t once,
                                      std::uint64_t twice);

// The probability that the next execution is of a class that was not seen in n: I. J. Good, "The
// population frequencies of species and the estimation of population parameters", Biometrika, 1953.
[[nodiscard]] double new_class_probability(std::uint64_t executions, std::uint64_t once);

// How many more executions see that share of all classes: Chao, Colwell, Lin, Gotelli, "Sufficient
// sampling for asymptotic minimum species richness estimators", Ecology, 2009. 0: they have been
// seen.
[[nodiscard]] std::uint64_t executions_for_classes(std::uint64_t executions, std::uint64_t observed,
                                                   std::uint64_t once, std::uint64_t twice,
                                                   double share);

// The probability that an execution fails, if `failed` of n did, with confidence 95 %: C. Clopper
// and E. Pearson, "The use of confidence or fiducial limits", Biometrika, 1934. Never too narrow.
// With no failure (or nothing else) the confidence is on one side.
[[nodiscard]] interval failure_interval(std::uint64_t failed, std::uint64_t executions);

// The same if the campaign went on just until the first failure: that is another experiment.
[[nodiscard]] interval first_failure_interval(std::uint64_t executions);

// How many executions have a failure of that probability among them with probability 95 %.
[[nodiscard]] std::uint64_t executions_to_see(double probability);

// The number of schedules, from uniform random walks: D. Knuth, "Estimating the efficiency of
// backtrack programs", Mathematics of Computation, 1975. A walk that had c_1, c_2, … tasks to
// choose from stands for c_1 c_2 … schedules; the mean over walks is the number of all on average.
// It is far too low as long as no walk has come to where most of them are: an order of magnitude,
// no more.
//
// Numbers are given as base-2 logarithms.
class schedule_count {
 public:
  void add(double choices_log2) { walks_.push_back(choices_log2); }
  [[nodiscard]] bool known() const noexcept { return !walks_.empty(); }
  [[nodiscard]] double log2() const;

 private:
  std::vector<double> walks_;
};

// All of it for a campaign. goes_on: it did not end with its first failure.
[[nodiscard]] estimate_summary estimates_from(const coverage_book& seen,
                                              const schedule_count& schedules, std::uint64_t failed,
                                              bool goes_on);

}  // namespace forkloom::explore

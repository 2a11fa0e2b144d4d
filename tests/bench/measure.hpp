// Ratios that can be trusted on a noisy machine: the two sides run in turn, A B A B …, and the
// median of the ratios of neighbours counts.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

namespace forkloom::bench {

// Seconds that the work takes.
inline double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct comparison {
  double subject = 0;   // median, in the caller's unit
  double baseline = 0;  // median
  double ratio = 0;     // median of subject / baseline, pair by pair
};

// Each side measures itself and returns its figure.
inline comparison compare(unsigned pairs, const std::function<double()>& subject,
                          const std::function<double()>& baseline) {
  std::vector<double> subjects;
  std::vector<double> baselines;
  std::vector<double> ratios;
  for (unsigned i = 0; i < pairs; ++i) {
    subjects.push_back(subject());
    baselines.push_back(baseline());
    ratios.push_back(subjects.back() / baselines.back());
  }
  return {median(subjects), median(baselines), median(ratios)};
}

}  // namespace forkloom::bench

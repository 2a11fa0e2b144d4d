// The line on stderr that says how far a campaign is. What it shows depends on the clock, and on
// nothing does what it shows have an influence.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "framework/explore/coverage_book.hpp"

namespace forkloom::explore {

// What there is to say: "counter: 1200 executions, 812/s, 14 classes, 9 orderings, 6 lock states".
[[nodiscard]] std::string progress_text(const std::string& scenario, const coverage_book& seen,
                                        double seconds);

class progress_line {
 public:
  using clock = std::chrono::steady_clock;

  // Without `wanted` it does nothing. On a terminal one line is written over and over; elsewhere
  // each stays.
  progress_line(std::string scenario, bool wanted);
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  // After each execution; writes seldom.
  void show(const coverage_book& seen);

  // The last state: takes the line off a terminal, and writes it elsewhere.
  void finish(const coverage_book& seen);

 private:
  void write(const coverage_book& seen);

  std::string scenario_;
  bool wanted_;
  bool terminal_;
  bool shown_ = false;
  clock::time_point begin_ = clock::now();
  clock::time_point next_ = begin_;
};

}  // namespace forkloom::explore

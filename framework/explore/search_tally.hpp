// What systematic explorers have to say besides their counts.
#pragma once

#include <cstdint>
#include <string>

#include "framework/trace/trace.hpp"

namespace forkloom::explore {

class search_tally {
 public:
  // Throws usage_error if the scenario has more tasks than a systematic search can tell apart.
  static void require_few_tasks(const trace& what);

  void count(const trace& what, bool violated);
  void count_departure() noexcept { ++departures_; }

  [[nodiscard]] std::uint64_t executions() const noexcept { return executions_; }
  [[nodiscard]] bool complete() const noexcept { return departures_ == 0; }

  // ", none violates", ", 2 of them violate".
  [[nodiscard]] std::string violations() const;

  // What limits what was said, as sentences that follow it; mostly "".
  [[nodiscard]] std::string reservations() const;

 private:
  std::uint64_t executions_ = 0;
  std::uint64_t violating_ = 0;
  std::uint64_t cut_off_ = 0;
  std::uint64_t departures_ = 0;
  std::string limit_;
};

}  // namespace forkloom::explore

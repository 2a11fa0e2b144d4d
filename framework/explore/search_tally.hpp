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

  // Of so many interleavings: ", none violates", ", 2 of them violate"; and of the only one: ", it
  // violates".
  [[nodiscard]] std::string violations(std::uint64_t of) const;

  // "all 24 interleavings", "the only interleaving"; with classes, "all 24 interleavings
  // (happens-before classes)".
  [[nodiscard]] static std::string all_of(std::uint64_t count, bool classes);

  // "24 interleavings", "1 interleaving (happens-before class)".
  [[nodiscard]] static std::string some_of(std::uint64_t count, bool classes);

  // "; 3 more executions repeated one of them"; "" for none.
  [[nodiscard]] static std::string repeated(std::uint64_t executions, std::uint64_t classes);

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

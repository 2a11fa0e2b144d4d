// What SURW needs to know beforehand: which operations may be interesting, and how many of them
// each task makes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/strategy/surw.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

struct interest {
  std::uint32_t about = strategy::surw::everything;
  strategy::surw::counts steps{};

  friend bool operator==(const interest&, const interest&) = default;
};

// What was seen in a few executions: all operations first, then those about each thing that more
// than one task touches (stable_label() of the resource), in the order of their numbers.
class interest_book {
 public:
  void add(const trace& what);
  [[nodiscard]] const std::vector<interest>& all() const noexcept { return all_; }

 private:
  std::vector<interest> all_;
};

// "0:12x2_7": everything; 12 steps of each of two tasks, 7 of all others. Counts up to the last
// that differs from the one before.
[[nodiscard]] std::string to_text(const interest& what);

// Throws usage_error that says what is wrong.
[[nodiscard]] interest interest_from_text(std::string_view text);

}  // namespace forkloom::explore

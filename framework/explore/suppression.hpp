// Violations that are known and not to be told: by their kind, and by the resource or a source
// line.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forkloom/violation.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// "KIND:PATTERN", as in options::suppress.
class suppressions {
 public:
  // Throws usage_error for a text that has no colon, an unknown kind or an empty pattern.
  explicit suppressions(std::span<const std::string> texts);

  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }

  // Takes those out that are to be suppressed, and says how many they were. Source lines count once
  // the trace knows them.
  std::size_t take_from(std::vector<violation>& found, const trace& what) const;

 private:
  struct suppression {
    std::optional<violation_kind> kind;  // none: any
    std::string pattern;
  };

  [[nodiscard]] bool cover(const violation& v, const trace& what) const;

  std::vector<suppression> all_;
};

}  // namespace forkloom::explore

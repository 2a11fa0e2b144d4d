// From an execution that failed to a finding: a smaller one that fails in the same way, explained,
// its token, and what became of the deadlocks that it predicts.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "checkers/checker.hpp"
#include "forkloom/options.hpp"
#include "framework/explore/explain.hpp"
#include "framework/explore/result.hpp"
#include "framework/explore/runner.hpp"
#include "framework/explore/smaller_program.hpp"

namespace forkloom::explore {

// Is that a violation that the scenario declares?
[[nodiscard]] bool is_expected(const options& how, const violation& v);

class finding_maker {
 public:
  // All of them must outlive it. scenario: its name.
  finding_maker(runner& run, std::string_view scenario, std::span<const checkers::checker> with,
                const options& how)
      : run_(run), scenario_(scenario), checkers_(with), options_(how) {}

  // number: of the execution in its campaign. The finding has no violations if all of them turn out
  // to be suppressed.
  [[nodiscard]] finding make(std::uint64_t number, failure first);

 private:
  explanation explain_small(finding& f, const failure& what);
  [[nodiscard]] bool shall_shrink(std::span<const violation> found) const;
  void confirm_predictions(finding& f);
  [[nodiscard]] std::string token_of(const trace& t, const attempt& what);

  runner& run_;
  std::string_view scenario_;
  std::span<const checkers::checker> checkers_;
  const options& options_;
};

}  // namespace forkloom::explore

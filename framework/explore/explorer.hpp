// What a campaign asks before each execution and tells after it. All that a strategy learns from
// one execution for the next is kept here, in the worker: strategy::state lives for one execution,
// in shared memory, and knows nothing of the others.
//
//   while (auto attempt = explorer->next(number++)) {
//     run it, check the trace
//     explorer->learn(trace, violated)
//   }
//   explorer->conclusion()
//
// A decorator is an explorer that asks other ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/explore/coverage_book.hpp"
#include "framework/explore/interests.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "framework/strategy/strategy.hpp"
#include "framework/trace/fault_plan.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// One execution to be carried out.
struct attempt {
  strategy::state strategy;
  std::string spec = {};   // as the token carries it; "": the token carries the whole schedule
  std::uint64_t seed = 0;  // of the execution
  std::optional<hazards> may_befall = {};  // nothing: all that the campaign allows
};

// How long executions are, how many tasks they have (PCT's k and n), and what each of them does.
struct estimate {
  std::uint32_t k = 1;
  std::size_t n = 1;
  std::vector<interest> interests;  // SURW's
};

class explorer {
 public:
  virtual ~explorer() = default;
  explorer(const explorer&) = delete;
  explorer& operator=(const explorer&) = delete;

  // The execution of that number, counted from 0 without gaps. Nothing if all has been explored.
  [[nodiscard]] virtual std::optional<attempt> next(std::uint64_t number) = 0;

  // What the last attempt came to. Called once for each, before anything else is run; then a
  // failure may be run again, with the same attempt, of which nothing is told.
  virtual void learn(const trace& what, bool violated) = 0;

  // Are its executions drawn at random? Only of draws can one estimate what was not seen.
  [[nodiscard]] virtual bool samples() const { return true; }

  // What is promised beforehand, in words; "" if nothing is.
  [[nodiscard]] virtual std::string guarantee() const { return {}; }

  // What can be said after the last execution, in words; "" if nothing can.
  [[nodiscard]] virtual std::string conclusion() const { return {}; }

 protected:
  explorer() = default;
};

struct exploration {
  std::uint64_t seed = 1;                   // the campaign's
  hazards may_befall = {};                  // in any of its executions
  std::function<estimate()> measure;        // runs a few executions to see; called at most once
  const coverage_book* coverage = nullptr;  // up to date with the last attempt before learn()
};

// Throws what measuring throws.
[[nodiscard]] std::unique_ptr<explorer> make_explorer(const strategy_spec& spec,
                                                      const exploration& how);

}  // namespace forkloom::explore

#include "framework/explore/smaller_program.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "framework/explore/explain.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "framework/explore/time_net.hpp"
#include "framework/shrink/program_search.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::explore {
namespace {

// A program of two processes with two calls that fails at all fails in one walk of ten or so: to
// miss it with fifty has a chance of 1 in 200, and then the report is one call longer.
constexpr std::uint64_t schedules_each = 50;
// A few seconds. Programs of eight calls took some 1,000.
constexpr std::uint64_t executions_most = 5'000;
// Of all of them: for programs whose calls take thousands of steps.
constexpr std::uint64_t steps_most = 5'000'000;

constexpr std::array<std::string_view, 2> other_strategies{"random", "sticky"};

class search {
 public:
  search(runner& run, failure first, std::span<const checkers::checker> with, const options& how)
      : run_(run),
        program_(run.program().ran),
        best_(std::move(first)),
        original_(best_.found),
        checkers_(with),
        options_(how),
        net_(how.shrink_time) {}

  failure result() {
    const auto found = shrink::smallest_program(
        {}, [&](const shrink::shrink_path& path) { return judge(path); },
        [&] {
          return executions_ < executions_most && steps_ < steps_most && !run_.interrupted() &&
                 !net_.caught();
        });
    best_.given_up_after_ms = net_.caught_after_ms();
    run_.use_program(found.accepted == 0 ? std::string{} : name(found.path));
    return std::move(best_);
  }

 private:
  [[nodiscard]] std::string name(const shrink::shrink_path& path) const {
    auto text = program_;
    for (const auto step : path) text += "." + std::to_string(step);
    return text;
  }

  shrink::candidate judge(const shrink::shrink_path& path) {
    run_.use_program(name(path));
    const auto seed = best_.how.seed;
    for (std::uint64_t i = 0; i <= schedules_each && !run_.interrupted() && !net_.caught(); ++i) {
      const auto how = i == 0 ? best_.how : other(i, seed);
      auto t = run_.run(how.strategy, how.seed, tracing::lean);
      if (run_.program().missing) return shrink::candidate::missing;
      ++executions_;
      steps_ += t.steps;
      auto found = check(t, checkers_, options_).violations;
      if (!same_kinds(found)) continue;
      best_ = {how, std::move(t), std::move(found), 0};
      return shrink::candidate::fails;
    }
    return shrink::candidate::passes;
  }

  static attempt other(std::uint64_t number, std::uint64_t seed) {
    const auto spec = parse_strategy(other_strategies.at(number % other_strategies.size()));
    return {make(spec), to_string(spec), strategy::execution_seed(seed, number)};
  }

  [[nodiscard]] bool same_kinds(const std::vector<violation>& found) const {
    return !found.empty() && found.front().kind == original_.front().kind &&
           std::all_of(found.begin(), found.end(), [&](const violation& v) {
             return std::any_of(original_.begin(), original_.end(),
                                [&](const violation& o) { return o.kind == v.kind; });
           });
  }

  runner& run_;
  std::string program_;
  failure best_;
  std::vector<violation> original_;
  std::span<const checkers::checker> checkers_;
  const options& options_;
  std::uint64_t executions_ = 0;
  std::uint64_t steps_ = 0;
  time_net net_;
};

}  // namespace

failure with_smaller_program(runner& run, failure first, std::span<const checkers::checker> with,
                             const options& how) {
  if (run.program().ran.empty()) return first;
  return search(run, std::move(first), with, how).result();
}

}  // namespace forkloom::explore

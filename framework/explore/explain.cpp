#include "framework/explore/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "forkloom/error.hpp"
#include "framework/explore/sources.hpp"
#include "framework/explore/suppression.hpp"
#include "framework/trace/divergence.hpp"

namespace forkloom::explore {

std::vector<checkers::checker> chosen_checkers(const options& how) {
  const auto all = checkers::all();
  std::vector<checkers::checker> chosen;
  if (how.checkers.empty()) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                 [](const auto& c) { return c.by_default; });
    return chosen;
  }
  for (const auto& wanted : how.checkers) {
    if (std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.name == wanted; }))
      continue;
    std::string names;
    for (const auto& c : all) names += (names.empty() ? "" : ", ") + std::string(c.name);
    throw usage_error(fmt::format("unknown checker \"{}\". Checkers: {}", wanted, names));
  }
  std::copy_if(all.begin(), all.end(), std::back_inserter(chosen), [&](const auto& c) {
    return std::find(how.checkers.begin(), how.checkers.end(), c.name) != how.checkers.end();
  });
  return chosen;
}

judgement check(const trace& t, std::span<const checkers::checker> with, const options& how) {
  const checkers::limits limits{.bypass_max = how.bypass_max};
  judgement result;
  auto& found = result.violations;
  for (const auto& checker : with) {
    auto more = checker.check(t, limits);
    found.insert(found.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  }
  if (!how.suppress.empty()) result.suppressed = suppressions(how.suppress).take_from(found, t);
  return result;
}

bool same_failure(std::span<const violation> a, std::span<const violation> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const violation& x, const violation& y) {
                      return x.kind == y.kind && x.resource == y.resource && x.tasks == y.tasks;
                    });
}

namespace {

void tell(explanation& into, judgement&& all) {
  into.violations = std::move(all.violations);
  into.suppressed = all.suppressed;
}

}  // namespace

explanation explain(runner& run, const strategy::state& strategy, std::uint64_t seed,
                    const trace& first, std::span<const violation> found,
                    std::span<const checkers::checker> with, const options& how) {
  explanation result;
  for (unsigned i = 0; i < how.replays && !run.interrupted(); ++i) {
    auto again = run.run(strategy, seed, tracing::full);
    const auto violations = check(again, with, how).violations;
    const bool same = again.hash == first.hash && same_failure(violations, found);
    if (!same && result.divergence.empty()) {
      find_sources(again);
      result.divergence = describe_divergence(first, again);
    }
    if (!same || result.reproduced++ > 0) continue;
    find_sources(again);
    // The messages name source lines, which are known only now.
    tell(result, check(again, with, how));
    result.what_happened = std::move(again);
  }
  if (result.reproduced > 0) return result;
  result.what_happened = first;
  find_sources(result.what_happened);
  tell(result, check(result.what_happened, with, how));
  return result;
}

}  // namespace forkloom::explore

#include "framework/explore/confirm.hpp"

#include <algorithm>

#include "checkers/checker.hpp"
#include "framework/explore/steer.hpp"
#include "framework/strategy/random.hpp"
#include "framework/strategy/replay.hpp"

namespace forkloom::explore {
namespace {

constexpr std::uint32_t walks_max = 20;

// Do all that were predicted to be in the deadlock wait in it?
bool came_to_it(const trace& what, const violation& predicted) {
  const auto found = checkers::check_deadlock(what, {});
  return std::any_of(found.begin(), found.end(), [&](const violation& v) {
    return std::all_of(predicted.tasks.begin(), predicted.tasks.end(), [&](const auto& task) {
      return std::find(v.tasks.begin(), v.tasks.end(), task) != v.tasks.end();
    });
  });
}

// The same prediction in another execution.
std::optional<violation> same_in(const trace& what, const violation& predicted) {
  for (auto& v : checkers::check_lock_order(what, {}))
    if (v.resource == predicted.resource && v.tasks == predicted.tasks) return std::move(v);
  return std::nullopt;
}

}  // namespace

confirmation confirm(runner& run, const trace& what, const violation& predicted,
                     std::uint64_t campaign_seed) {
  confirmation result;
  const auto steer = [&](const trace& from, const violation& into) {
    const auto course = steered_into(from, into);
    auto t = run.run(strategy::replay(course), campaign_seed, tracing::lean);
    ++result.steered;
    if (!came_to_it(t, predicted)) return false;
    result.deadlock = std::move(t);
    return true;
  };
  if (steer(what, predicted)) return result;
  for (std::uint32_t i = 0; i < walks_max && !run.interrupted(); ++i) {
    const auto walk =
        run.run(strategy::random_walk{}, strategy::execution_seed(campaign_seed, i), tracing::lean);
    const auto again = same_in(walk, predicted);
    if (again && steer(walk, *again)) break;
  }
  return result;
}

}  // namespace forkloom::explore

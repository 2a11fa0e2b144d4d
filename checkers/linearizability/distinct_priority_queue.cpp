// A priority queue: a value may go at a moment at which no greater one is in. The values are taken
// from the greatest to the smallest, and each goes as early as the greater ones allow. That is
// never worse than later: the value must be in from its insertion's response until it goes, and
// nothing else of it binds the smaller ones, since its insertion can be put right behind the last
// smaller removal that comes before. So it is enough to remember at which moments some greater
// value must be in. Whoever finds nothing is a removal smaller than all.
#include <algorithm>
#include <numeric>

#include "checkers/linearizability/known_objects.hpp"
#include "checkers/linearizability/moments.hpp"

namespace forkloom::checkers {
namespace {

// Slots, each free or taken; finds the next free one in nearly constant time (union-find).
class slots {
 public:
  explicit slots(std::int64_t count) : next_(static_cast<std::size_t>(count) + 1) {
    std::iota(next_.begin(), next_.end(), std::size_t{0});
  }

  // The first free one at or behind; count if there is none.
  [[nodiscard]] std::int64_t free_from(std::int64_t slot) {
    auto at = std::min(static_cast<std::size_t>(slot), next_.size() - 1);
    while (next_[at] != at) {
      next_[at] = next_[next_[at]];
      at = next_[at];
    }
    return static_cast<std::int64_t>(at);
  }

  void take(std::int64_t from, std::int64_t to) {
    const auto end = std::min(to, static_cast<std::int64_t>(next_.size()) - 1);
    for (auto at = free_from(from); at < end; at = free_from(at))
      next_[static_cast<std::size_t>(at)] = static_cast<std::size_t>(at) + 1;
  }

 private:
  std::vector<std::size_t> next_;
};

}  // namespace

std::optional<bool> judge_distinct_priority_queue(const history& what) {
  const auto all = lives_of(what);
  if (!all) return std::nullopt;
  if (all->impossible) return false;
  slots without_greater(all->ranks);
  for (auto value = all->values.rbegin(); value != all->values.rend(); ++value) {
    const auto& [inserted, removed] = value->second;
    auto goes = never;
    if (removed) {
      goes = without_greater.free_from(std::max(removed->from, inserted->from));
      if (goes >= removed->to) return false;
    }
    if (inserted->to < goes) without_greater.take(inserted->to, goes);
  }
  return std::all_of(all->found_empty.begin(), all->found_empty.end(), [&](const auto& call) {
    return without_greater.free_from(call.from) < call.to;
  });
}

}  // namespace forkloom::checkers

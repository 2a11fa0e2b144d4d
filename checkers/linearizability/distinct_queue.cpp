// A queue: Henzinger, Sezgin & Vafeiadis, "Aspect-Oriented Linearizability Proofs" (CONCUR 2013). A
// history of distinct values is linearizable if and only if no value is removed that was not
// inserted, or twice, or before it was inserted; no value overtakes another (x was inserted before
// y was, and y is out before anybody begins to take x); and nobody finds the queue empty while at
// each moment of the call some value must have been in it.
#include <algorithm>

#include "checkers/linearizability/known_objects.hpp"
#include "checkers/linearizability/moments.hpp"

namespace forkloom::checkers {
namespace {

struct in_and_out {
  span_of_call in;
  span_of_call out;  // never to never: it stayed
};

// Goes through the insertions in time, and keeps the latest removal among the values that were in
// by then.
bool overtakes(const std::vector<in_and_out>& values) {
  std::vector<const in_and_out*> by_end;
  for (const auto& v : values) by_end.push_back(&v);
  auto by_begin = by_end;
  std::sort(by_end.begin(), by_end.end(), [](auto a, auto b) { return a->in.to < b->in.to; });
  std::sort(by_begin.begin(), by_begin.end(),
            [](auto a, auto b) { return a->in.from < b->in.from; });
  std::int64_t latest_removal = -1;
  auto x = by_end.begin();
  for (const auto* y : by_begin) {
    for (; x != by_end.end() && (*x)->in.to < y->in.from; ++x)
      latest_removal = std::max(latest_removal, (*x)->out.from);
    if (y->out.to < latest_removal) return true;
  }
  return false;
}

// For each slot, in how many of them at most the queue can have been empty before it.
std::vector<std::int64_t> empty_slots_before(const std::vector<in_and_out>& values,
                                             std::int64_t ranks) {
  std::vector<std::int64_t> change(static_cast<std::size_t>(ranks) + 1, 0);
  for (const auto& v : values) {
    if (v.in.to >= v.out.from) continue;
    ++change[static_cast<std::size_t>(v.in.to)];
    --change[static_cast<std::size_t>(std::min(v.out.from, ranks))];
  }
  std::vector<std::int64_t> before{0};
  std::int64_t inside = 0;
  for (const auto by : change) {
    inside += by;
    before.push_back(before.back() + (inside == 0 ? 1 : 0));
  }
  return before;
}

}  // namespace

std::optional<bool> judge_distinct_queue(const history& what) {
  const auto all = lives_of(what);
  if (!all) return std::nullopt;
  if (all->impossible) return false;
  std::vector<in_and_out> values;
  for (const auto& [value, life] : all->values)
    values.push_back({*life.inserted, life.removed.value_or(span_of_call{})});
  if (overtakes(values)) return false;
  const auto empty = empty_slots_before(values, all->ranks);
  return std::all_of(all->found_empty.begin(), all->found_empty.end(), [&](const auto& call) {
    return empty[static_cast<std::size_t>(call.to)] > empty[static_cast<std::size_t>(call.from)];
  });
}

}  // namespace forkloom::checkers

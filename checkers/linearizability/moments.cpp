#include "checkers/linearizability/moments.hpp"

#include "checkers/linearizability/known_objects.hpp"

namespace forkloom::checkers {
namespace {

void take_removal(lives& all, std::int64_t value, span_of_call when) {
  if (value == nothing) {
    all.found_empty.push_back(when);
    return;
  }
  auto& life = all.values[value];
  if (life.removed) all.impossible = true;
  life.removed = when;
}

}  // namespace

std::vector<span_of_call> spans(const history& what) {
  std::map<std::uint64_t, std::int64_t> rank;
  for (const auto& c : what.calls) {
    rank[c.invoked] = 0;
    if (!c.pending) rank[c.returned] = 0;
  }
  std::int64_t next = 0;
  for (auto& [position, number] : rank) number = next++;
  std::vector<span_of_call> all;
  all.reserve(what.calls.size());
  for (const auto& c : what.calls)
    all.push_back({rank[c.invoked], c.pending ? never : rank[c.returned]});
  return all;
}

std::optional<lives> lives_of(const history& what) {
  lives all;
  const auto when = spans(what);
  for (std::size_t i = 0; i < what.calls.size(); ++i) {
    const auto& c = what.calls[i];
    if (c.operation == calls::insert) {
      auto& life = all.values[c.argument];
      if (life.inserted) return std::nullopt;
      life.inserted = when[i];
    } else {
      if (c.pending) return std::nullopt;
      take_removal(all, c.result, when[i]);
    }
  }
  all.ranks = 2 * static_cast<std::int64_t>(what.calls.size());
  std::erase_if(all.values, [&](const auto& entry) {
    const auto& [inserted, removed] = entry.second;
    if (removed && (!inserted || removed->to < inserted->from)) all.impossible = true;
    return inserted && inserted->to == never && !removed;
  });
  return all;
}

}  // namespace forkloom::checkers

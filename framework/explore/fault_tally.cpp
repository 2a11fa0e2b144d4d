#include "framework/explore/fault_tally.hpp"

namespace forkloom::explore {

void fault_tally::add(const trace& t) {
  if (allowed_.empty()) return;
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind)
    all_[kind].chances += t.fault_chances[kind];
  for (const auto& e : t.events)
    if (e.op == operation::fault && fault_of(e) != fault_kind::count_)
      ++all_[index(fault_of(e))].happened;
}

std::vector<fault_count> fault_tally::counts() const {
  std::vector<fault_count> found;
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind) {
    if (allowed_.most[kind] == 0) continue;
    found.push_back(all_[kind]);
    found.back().name = name(fault_kind(kind));
  }
  return found;
}

}  // namespace forkloom::explore

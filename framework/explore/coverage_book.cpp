#include "framework/explore/coverage_book.hpp"

#include <algorithm>

namespace forkloom::explore {

void coverage_book::add(const coverage& seen) {
  ++executions_;
  const auto times = ++classes_[seen.class_hash];
  if (times == 1) ++once_;
  if (times == 2) --once_, ++twice_;
  if (times == 3) --twice_;
  last_ = {.new_class = times == 1};
  for (const auto ordering : seen.orderings) last_.orderings += orderings_.insert(ordering).second;
  for (const auto state : seen.lock_states) last_.lock_states += lock_states_.insert(state).second;
  if (last_.new_class || last_.orderings > 0) last_new_ = executions_;
}

bool coverage_book::saturated() const noexcept {
  return executions_ - last_new_ >= std::max(patience_min, last_new_);
}

}  // namespace forkloom::explore

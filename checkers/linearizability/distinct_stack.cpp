// A stack, by peeling; the results are those of Abdulla et al., "Efficient Linearizability
// Monitoring" (2025), and of Lee & Mathur (OOPSLA 2025), the argument is this:
//
// A value must be in the stack from the response of its insertion to the invocation of its removal.
// Call the slots that no value covers so gaps.
//
// 1. If there is an order at all, there is one in which the stack is empty at each gap. Of the
//    values that are in at a gap, some can still go before it, and the others can come after it.
//    Let the former go there, from the top to the bottom, and the latter come, from the bottom to
//    the top: both halves are orders of a stack, as those values lie below all others of theirs. So
//    who finds nothing needs a gap in the time of its call, and the regions between gaps can be
//    judged each alone.
// 2. Within a region the stack is never empty, so one value is at its bottom all the time: it comes
//    in the gap before the region and goes in the gap behind. If there is an order, there is one
//    with any value at the bottom for which this is possible: its two calls can be moved to the
//    ends. So all such values can be peeled off, and what they leave may have new gaps. If there
//    is none, there is no order.
//
// A value whose insertion and removal overlap comes and goes at one moment, which nobody notices.
// Each value is peeled off once and each slot becomes a gap once, with logarithmic work for each.
#include <algorithm>

#include "checkers/linearizability/known_objects.hpp"
#include "checkers/linearizability/moments.hpp"
#include "checkers/linearizability/slot_trees.hpp"

namespace forkloom::checkers {
namespace {

struct held_value {
  span_of_call in;
  span_of_call out;
};

// Values are found by the slot after the response of their insertion, which no two share. It lies
// in the value's region, whichever that is by now.
class peeling {
 public:
  peeling(const std::vector<held_value>& values, std::int64_t end)
      : values_(values),
        at_(static_cast<std::size_t>(end) + 1, nullptr),
        covered_(end + 1),
        first_entry_(end + 1),
        last_exit_(end + 1) {
    for (const auto& v : values_) {
      at_[static_cast<std::size_t>(v.in.to)] = &v;
      covered_.add(v.in.to, v.out.from, 1);
      first_entry_.set(v.in.to, v.in.from);
    }
    gaps_ = new_gaps(0, end + 1);
    for (std::size_t i = 1; i < gaps_.size(); ++i) regions_.push_back({gaps_[i - 1], gaps_[i]});
  }

  // Slots in which the stack can be empty, ascending.
  [[nodiscard]] const std::vector<std::int64_t>& gaps() const { return gaps_; }

  [[nodiscard]] bool succeeds() {
    while (!regions_.empty()) {
      const auto [before, behind] = regions_.back();
      regions_.pop_back();
      if (behind - before == 1) continue;
      if (!peel(before, behind)) return false;
      auto from = before;
      for (const auto gap : new_gaps(before + 1, behind)) {
        regions_.push_back({from, gap});
        from = gap;
      }
      regions_.push_back({from, behind});
    }
    return true;
  }

 private:
  struct region {
    std::int64_t before;  // the gaps at its ends
    std::int64_t behind;
  };

  // From now on the slot is a gap for good: the values that can come there are bottoms for whatever
  // region begins there, and for all parts of it.
  std::vector<std::int64_t> new_gaps(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> found;
    for (auto gap = covered_.first_free(from, to); gap; gap = covered_.first_free(*gap, to)) {
      found.push_back(*gap);
      covered_.add(*gap, *gap + 1, 1);
      const auto end = static_cast<std::int64_t>(at_.size());
      for (auto v = first_entry_.least(*gap + 1, end); v && first_entry_[*v] <= *gap;
           v = first_entry_.least(*gap + 1, end)) {
        first_entry_.set(*v, never);
        last_exit_.set(*v, -at_[static_cast<std::size_t>(*v)]->out.to);
      }
    }
    return found;
  }

  // Takes all that can be at the bottom from one gap to the other. False if there is nothing.
  bool peel(std::int64_t before, std::int64_t behind) {
    bool any = false;
    for (auto v = last_exit_.least(before + 1, behind); v && -last_exit_[*v] > behind;
         v = last_exit_.least(before + 1, behind)) {
      last_exit_.set(*v, never);
      covered_.add(*v, at_[static_cast<std::size_t>(*v)]->out.from, -1);
      any = true;
    }
    return any;
  }

  const std::vector<held_value>& values_;
  std::vector<const held_value*> at_;
  coverage covered_;
  smallest first_entry_;  // when a value can come at the earliest; `never` once a gap allows it …
  smallest last_exit_;    // … and from then on, negated, until when it must have gone
  std::vector<std::int64_t> gaps_;
  std::vector<region> regions_;
};

}  // namespace

std::optional<bool> judge_distinct_stack(const history& what) {
  const auto all = lives_of(what);
  if (!all) return std::nullopt;
  if (all->impossible) return false;
  // What stays is taken at the end, in whatever order.
  const auto end = all->ranks;
  std::vector<held_value> values;
  for (const auto& [value, life] : all->values) {
    const auto out = life.removed.value_or(span_of_call{end, end + 1});
    if (life.inserted->to < out.from) values.push_back({*life.inserted, out});
  }
  peeling stack(values, end);
  for (const auto& call : all->found_empty) {
    const auto gap = std::lower_bound(stack.gaps().begin(), stack.gaps().end(), call.from);
    if (gap == stack.gaps().end() || *gap >= call.to) return false;
  }
  return stack.succeeds();
}

}  // namespace forkloom::checkers

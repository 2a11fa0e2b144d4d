#include "framework/explore/partial_order.hpp"

#include <algorithm>

#include "framework/strategy/random.hpp"

namespace forkloom::explore {
namespace {

void join(std::vector<std::uint32_t>& into, const std::vector<std::uint32_t>& other) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = std::max(into[i], other[i]);
}

// A wait at a condition variable gives the mutex back, and wants it again when it is over.
resource_id given_back(const step& s) {
  if (s.failed) return no_resource;
  switch (s.op) {
    case operation::mutex_unlock:
    case operation::spin_unlock:
    case operation::rwlock_unlock:
      return s.resource;
    case operation::cond_wait:
      return s.waits ? s.second : no_resource;
    default:
      return no_resource;
  }
}

resource_id wanted(const step& s) {
  switch (s.op) {
    case operation::mutex_lock:
    case operation::spin_lock:
    case operation::rwlock_wrlock:
      return s.resource;
    case operation::cond_wait:
      return s.waits ? no_resource : s.second;
    default:
      return no_resource;
  }
}

// Who holds a lock lets nobody else have it: the one that gives it back and the one that gets it
// can only come in that order. What the second races with is how the first came to have it.
bool lets_go_on(const step& earlier, const step& later) {
  const auto lock = given_back(earlier);
  return lock != no_resource && lock == wanted(later);
}

}  // namespace

partial_order::partial_order(const step_list& steps, std::span<const choice_record> choices,
                             std::size_t races_from)
    : steps_(steps),
      choices_(choices),
      races_from_(races_from),
      ordinals_(steps.done.size()),
      now_(steps.pending.size(), clock(steps.pending.size())),
      last_step_(steps.pending.size(), -1) {
  clocks_.reserve(steps.done.size());
  for (std::size_t i = 0; i < steps.done.size(); ++i) take(i);
  for (std::size_t t = 0; t < steps.pending.size(); ++t) {
    if (steps.pending[t].op == operation::none) continue;
    auto own = now_[t];
    join_wake_up(steps.pending[t], own);
    join_earlier(steps.pending[t], steps.done.size() + t, steps.done.size(), own);
  }
}

void partial_order::take(std::size_t i) {
  const auto& what = steps_.done[i];
  const auto task = index(what.task);
  auto own = now_[task];
  join_wake_up(what, own);
  join_earlier(what, i, i, own);
  ordinals_[i] = ++own[task];
  if (index(what.born) < now_.size()) now_[index(what.born)] = own;
  now_[task] = own;
  last_step_[task] = static_cast<std::ptrdiff_t>(i);
  fold(what, own);
  clocks_.push_back(std::move(own));
}

// What woke the task comes before its step, though they may have no place in common: who has waited
// at a condition variable then only wants the mutex.
void partial_order::join_wake_up(const step& what, clock& own) {
  const auto pick = woken_at(what);
  std::size_t waker = clocks_.size();
  while (waker > 0 && steps_.done[waker - 1].pick >= pick) --waker;
  if (pick > 0 && waker > 0) join(own, clocks_[waker - 1]);
}

// The first pick that could have been the task's after a wait that others notice; 0 without such.
std::size_t partial_order::woken_at(const step& what) const {
  const auto last = last_step_[index(what.task)];
  if (last < 0 || !steps_.done[static_cast<std::size_t>(last)].waits) return 0;
  auto pick = steps_.done[static_cast<std::size_t>(last)].pick + 1;
  while (pick < choices_.size() && (choices_[pick].enabled & only(what.task)) == 0) ++pick;
  return pick < choices_.size() ? pick : 0;
}

// From the latest step on, so that a step which comes before another one that has been found is
// known to do so.
void partial_order::join_earlier(const step& what, std::size_t number, std::size_t end,
                                 clock& own) {
  std::vector<std::size_t> enabled_it;
  for (auto j = end; j-- > 0;) {
    if (covers(own, j) || !conflict(steps_.done[j].touched, what.touched)) continue;
    if (!could_swap(j, what)) {
      enabled_it.push_back(j);
      continue;
    }
    if (number >= races_from_) races_.push_back({j, number});
    join(own, clocks_[j]);
  }
  for (const auto j : enabled_it) join(own, clocks_[j]);
}

bool partial_order::could_swap(std::size_t earlier, const step& later) const {
  const auto& e = steps_.done[earlier];
  if (lets_go_on(e, later)) return false;
  // All that the task had to do before was done; so if it was not enabled, it had to wait. But what
  // it waited for before somebody woke it is another matter, and may as well have come first.
  const bool was_next = last_step_[index(later.task)] < static_cast<std::ptrdiff_t>(earlier);
  return !was_next || e.pick < woken_at(later) ||
         (choices_[e.pick].enabled & only(later.task)) != 0;
}

void partial_order::fold(const step& what, const clock& own) {
  auto hash = strategy::mix(index(what.task) + 1);
  for (const auto n : own) hash = strategy::mix(hash ^ n) + strategy::golden_ratio;
  for (const auto& d : what.draws) hash = strategy::mix(hash ^ d.value) + strategy::golden_ratio;
  hashes_.push_back(hash);
  hash_ += hash;
}

}  // namespace forkloom::explore

#include "checkers/lock_book.hpp"

#include <algorithm>

#include "framework/trace/vector_clock.hpp"

namespace forkloom::checkers {

void lock_book::take(std::size_t event) {
  const auto& e = what_.events[event];
  if (const auto mutex = mutex_given_up(what_, e); mutex != no_resource) {
    unlocked({e.task, mutex});
    given_up_[e.task] = mutex;
  }
  if (e.how != outcome::completed || e.error != 0) return;
  switch (e.op) {
    case operation::mutex_lock:
    case operation::mutex_trylock:
      return locked({e.task, e.resource}, event);
    case operation::mutex_unlock:
      return unlocked({e.task, e.resource});
    case operation::mutex_init:
    case operation::mutex_destroy:
      return forget(e.resource);
    case operation::cond_wait:
      // A wait whose time is already over gives the mutex up and takes it without an event between.
      if (given_up_.erase(e.task) != 0 && mutex_retaken(e)) locked({e.task, e.second}, event);
      return;
    default:
      return;
  }
}

std::vector<lock_book::holding> lock_book::held_by(task_id task) const {
  std::vector<holding> found;
  for (auto i = held_.lower_bound({task, resource_id{0}});
       i != held_.end() && i->first.first == task; ++i)
    found.push_back(i->second);
  return found;
}

bool lock_book::holds(task_id task, resource_id mutex) const {
  return held_.contains({task, mutex});
}

void lock_book::locked(place where, std::size_t event) {
  const auto [entry, fresh] = held_.try_emplace(where, holding{where.second, event, 1});
  if (!fresh) ++entry->second.depth;
}

void lock_book::unlocked(place where) {
  auto entry = held_.find(where);
  // A normal mutex lets any task unlock it.
  if (entry == held_.end())
    entry = std::find_if(held_.begin(), held_.end(),
                         [&](const auto& h) { return h.first.second == where.second; });
  if (entry != held_.end() && --entry->second.depth == 0) held_.erase(entry);
}

void lock_book::forget(resource_id mutex) {
  std::erase_if(held_, [&](const auto& h) { return h.first.second == mutex; });
}

}  // namespace forkloom::checkers

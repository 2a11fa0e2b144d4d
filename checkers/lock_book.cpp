#include "checkers/lock_book.hpp"

#include <algorithm>

#include "framework/trace/lock_operations.hpp"
#include "framework/trace/record_range.hpp"
#include "framework/trace/vector_clock.hpp"

namespace forkloom::checkers {

void lock_book::take(std::size_t event) {
  const auto& e = what_.events[event];
  if (const auto mutex = mutex_given_up(what_, e); mutex != no_resource) {
    unlocked({e.task, mutex});
    given_up_[e.task] = mutex;
  }
  if (e.how != outcome::completed || e.error != 0) return;
  take_file_event(e, event);
  if (takes_lock(e.op)) return locked({e.task, e.resource}, event);
  if (gives_lock_back(e.op)) return unlocked({e.task, e.resource});
  switch (e.op) {
    case operation::mutex_init:
    case operation::mutex_destroy:
    case operation::rwlock_init:
    case operation::rwlock_destroy:
    case operation::spin_init:
    case operation::spin_destroy:
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
  if (const auto files = on_files_.find(task); files != on_files_.end())
    found.insert(found.end(), files->second.begin(), files->second.end());
  return found;
}

bool lock_book::holds(task_id task, resource_id lock) const { return held_.contains({task, lock}); }

std::vector<task_id> lock_book::holders(resource_id lock) const {
  std::vector<task_id> found;
  for (const auto& [where, how] : held_)
    if (where.second == lock) found.push_back(where.first);
  return found;
}

void lock_book::take_file_event(const event& e, std::size_t at) {
  auto& mine = on_files_[e.task];
  const auto drop = [&](resource_id locks, auto&& concerned) {
    std::erase_if(mine, [&](const holding& h) {
      return h.lock == locks && concerned(what_.events[h.since]);
    });
  };
  const auto any = [](const event&) { return true; };
  if (e.op == operation::flock || e.op == operation::file_unlock) drop(e.resource, any);
  if (drops_locks(e)) drop(e.second, any);
  if (has_record_range(e) && e.op != operation::record_query) {
    const auto now = range_of(e);
    drop(e.resource, [&](const event& before) {
      const auto then = range_of(before);
      return then.of_open_file == now.of_open_file && now.first <= then.first &&
             then.last <= now.last;
    });
  }
  if (takes_file_lock(e.op)) mine.push_back({.lock = e.resource, .since = at});
}

void lock_book::locked(place where, std::size_t event) {
  const auto [entry, fresh] = held_.try_emplace(where, holding{where.second, event, 1});
  if (!fresh) ++entry->second.depth;
}

void lock_book::unlocked(place where) {
  auto entry = held_.find(where);
  // Most locks let any task unlock them.
  if (entry == held_.end())
    entry = std::find_if(held_.begin(), held_.end(),
                         [&](const auto& h) { return h.first.second == where.second; });
  if (entry != held_.end() && --entry->second.depth == 0) held_.erase(entry);
}

void lock_book::forget(resource_id lock) {
  std::erase_if(held_, [&](const auto& h) { return h.first.second == lock; });
}

}  // namespace forkloom::checkers

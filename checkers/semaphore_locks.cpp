#include "checkers/semaphore_locks.hpp"

#include <algorithm>

namespace forkloom::checkers {
namespace {

bool succeeded(const event& e) { return e.how == outcome::completed && e.error == 0; }

bool takes(const event& e) {
  return succeeded(e) && (e.op == operation::sem_wait || e.op == operation::sem_trywait);
}

bool posts(const event& e) { return succeeded(e) && e.op == operation::sem_post; }

struct holder {
  task_id task = no_task;
  std::vector<lock_book::holding> within;  // the locks that it held when it took the semaphore
};

// Has the task given back a lock under which it took the semaphore, and still has that?
bool outlives(const lock_book& book, const holder& h) {
  return std::any_of(h.within.begin(), h.within.end(),
                     [&](const auto& outer) { return !book.holds(h.task, outer.lock); });
}

}  // namespace

semaphore_locks::semaphore_locks(const trace& what) : what_(what) {
  lock_book book(what);
  std::map<resource_id, holder> holders;
  std::set<resource_id> others;
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const auto& e = what.events[i];
    if (takes(e)) {
      const holder now{.task = e.task, .within = book.held_by(e.task)};
      if (!holders.emplace(e.resource, now).second) others.insert(e.resource);
      locks_.insert(e.resource);
    } else if (posts(e)) {
      const auto found = holders.find(e.resource);
      if (found == holders.end() || found->second.task != e.task) others.insert(e.resource);
      holders.erase(e.resource);
    }
    book.take(i);
    if (!traits(e.op).releases) continue;
    for (const auto& [semaphore, h] : holders)
      if (h.task == e.task && outlives(book, h)) others.insert(semaphore);
  }
  for (const auto semaphore : others) locks_.erase(semaphore);
}

void semaphore_locks::take(std::size_t event) {
  const auto& e = what_.events[event];
  if (!is_lock(e.resource)) return;
  if (takes(e)) held_[e.resource] = {.lock = e.resource, .since = event};
  if (posts(e)) held_.erase(e.resource);
}

std::vector<lock_book::holding> semaphore_locks::held_by(task_id task) const {
  std::vector<lock_book::holding> found;
  for (const auto& [semaphore, holding] : held_)
    if (what_.events[holding.since].task == task) found.push_back(holding);
  return found;
}

}  // namespace forkloom::checkers

#include "checkers/semaphore_locks.hpp"

namespace forkloom::checkers {
namespace {

bool succeeded(const event& e) { return e.how == outcome::completed && e.error == 0; }

bool takes(const event& e) {
  return succeeded(e) && (e.op == operation::sem_wait || e.op == operation::sem_trywait);
}

bool posts(const event& e) { return succeeded(e) && e.op == operation::sem_post; }

}  // namespace

semaphore_locks::semaphore_locks(const trace& what) : what_(what) {
  std::map<resource_id, task_id> holders;
  std::set<resource_id> others;
  for (const auto& e : what.events) {
    if (takes(e)) {
      if (!holders.emplace(e.resource, e.task).second) others.insert(e.resource);
      locks_.insert(e.resource);
    } else if (posts(e)) {
      const auto holder = holders.find(e.resource);
      if (holder == holders.end() || holder->second != e.task) others.insert(e.resource);
      holders.erase(e.resource);
    }
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

#include "checkers/semaphore_locks.hpp"

#include <algorithm>

#include "checkers/words.hpp"
#include "framework/trace/semaphore_operations.hpp"

namespace forkloom::checkers {
namespace {

// The highest bit, the set, and fifteen bits for the semaphore's number.
constexpr std::uint32_t is_one_of_set = 1U << 31;
constexpr unsigned number_bits = 15;

bool succeeded(const event& e) { return e.how == outcome::completed && e.error == 0; }

bool takes(const event& e) { return succeeded(e) && step_of(e).change == -1; }
bool posts(const event& e) { return succeeded(e) && step_of(e).change == +1; }

struct holder {
  task_id task = no_task;
  bool undone = false;
  std::vector<lock_book::holding> within;  // the locks that it held when it took the semaphore
};

// Who has which semaphore, and which ones are no locks.
class reader {
 public:
  explicit reader(const trace& what) : what_(what), book_(what) {
    for (std::size_t i = 0; i < what.events.size(); ++i) take(i);
    for (const auto& [first, semaphore] : begun_)
      if (!ever_given_back_.contains(semaphore)) others.insert(semaphore);
  }

  std::set<resource_id> taken;
  std::set<resource_id> others;
  std::set<std::size_t> given_back;

 private:
  void take(std::size_t i) {
    const auto& e = what_.events[i];
    if (takes(e))
      taken_by(e);
    else if (posts(e))
      posted_by(e, i);
    else if (succeeded(e))
      changed_otherwise(e);
    book_.take(i);
    if (!traits(e.op).releases) return;
    for (const auto& [semaphore, h] : holders_)
      if (h.task == e.task && outlives(h)) others.insert(semaphore);
  }

  void taken_by(const event& e) {
    const auto step = step_of(e);
    const holder now{.task = e.task, .undone = step.undone, .within = book_.held_by(e.task)};
    const bool alone = holders_.emplace(step.semaphore, now).second;
    if (!alone || leaves_some(e)) others.insert(step.semaphore);
    taken.insert(step.semaphore);
  }

  void posted_by(const event& e, std::size_t i) {
    const auto semaphore = step_of(e).semaphore;
    const auto found = holders_.find(semaphore);
    if (found != holders_.end() && found->second.task == e.task) {
      holders_.erase(found);
      ever_given_back_.insert(semaphore);
      given_back.insert(i);
      return;
    }
    const bool begins = !taken.contains(semaphore) &&
                        std::none_of(begun_.begin(), begun_.end(),
                                     [&](const auto& one) { return one.second == semaphore; });
    if (begins)
      begun_[i] = semaphore;
    else
      others.insert(semaphore);
    holders_.erase(semaphore);
  }

  void changed_otherwise(const event& e) {
    if (e.op == operation::exit)
      std::erase_if(holders_, [&](const auto& one) {
        return one.second.undone && process_of(what_, one.second.task) == e.task;
      });
    if (e.op == operation::semop) {
      const semaphore_operations all(e);
      for (const auto& one : all) others.insert(one_of_set(e.resource, one.number));
      if (all.more()) others.insert(e.resource);
    }
    // A value that is set while somebody has the semaphore, or had it.
    if (e.op == operation::semctl && !only_looked(e))
      for (const auto semaphore : taken)
        if (set_of(semaphore) == e.resource) others.insert(semaphore);
  }

  // Has the task given back a lock under which it took the semaphore, and still has that?
  [[nodiscard]] bool outlives(const holder& h) const {
    return std::any_of(h.within.begin(), h.within.end(),
                       [&](const auto& outer) { return !book_.holds(h.task, outer.lock); });
  }

  const trace& what_;
  lock_book book_;
  std::map<resource_id, holder> holders_;
  std::map<std::size_t, resource_id> begun_;
  std::set<resource_id> ever_given_back_;
};

}  // namespace

resource_id one_of_set(resource_id set, std::uint16_t number) {
  return resource_id{is_one_of_set | static_cast<std::uint32_t>(set) << number_bits | number};
}

resource_id set_of(resource_id one) {
  const auto all = static_cast<std::uint32_t>(one);
  if ((all & is_one_of_set) == 0 || one == no_resource) return no_resource;
  return resource_id{(all & ~is_one_of_set) >> number_bits};
}

std::uint16_t number_in_set(resource_id one) {
  return static_cast<std::uint16_t>(static_cast<std::uint32_t>(one) & ((1U << number_bits) - 1));
}

semaphore_step step_of(const event& e) {
  switch (e.op) {
    case operation::sem_wait:
    case operation::sem_trywait:
      return {.semaphore = e.resource, .change = -1};
    case operation::sem_post:
      return {.semaphore = e.resource, .change = +1};
    case operation::semop: {
      const semaphore_operations all(e);
      if (e.resource == no_resource || all.more() || all.end() - all.begin() != 1) return {};
      const auto& only = *all.begin();
      return {.semaphore = one_of_set(e.resource, only.number),
              .change = only.change,
              .undone = only.undone};
    }
    default:
      return {};
  }
}

semaphore_locks::semaphore_locks(const trace& what) : what_(what) {
  reader all(what);
  for (const auto semaphore : all.taken)
    if (!all.others.contains(semaphore) && !all.others.contains(set_of(semaphore)))
      locks_.insert(semaphore);
  for (const auto i : all.given_back)
    if (is_lock(step_of(what.events[i]).semaphore)) given_back_.insert(i);
}

void semaphore_locks::take(std::size_t event) {
  const auto& e = what_.events[event];
  const auto semaphore = step_of(e).semaphore;
  if (!is_lock(semaphore)) return;
  if (takes(e)) held_[semaphore] = {.lock = semaphore, .since = event};
  if (posts(e)) held_.erase(semaphore);
}

std::vector<lock_book::holding> semaphore_locks::held_by(task_id task) const {
  std::vector<lock_book::holding> found;
  for (const auto& [semaphore, holding] : held_)
    if (what_.events[holding.since].task == task) found.push_back(holding);
  return found;
}

}  // namespace forkloom::checkers

// POSIX semaphores that a trace uses as locks: whoever posts one is whoever took it last, and
// nobody takes it a second time before. A semaphore that counts things is posted by others, or
// taken by several. One that is kept longer than a lock under which it was taken belongs to a group
// (the first reader takes it for all, and the last one gives it back), even if the last one happens
// to be the first. Kept up to date like the lock book, for what that does not know.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "checkers/lock_book.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

class semaphore_locks {
 public:
  // Reads the whole trace: whether a semaphore is a lock shows only at the end.
  explicit semaphore_locks(const trace& what);

  // The next event has happened.
  void take(std::size_t event);

  [[nodiscard]] bool is_lock(resource_id semaphore) const { return locks_.contains(semaphore); }

  // The semaphores that a task holds now, in the order of the resources.
  [[nodiscard]] std::vector<lock_book::holding> held_by(task_id task) const;

 private:
  const trace& what_;
  std::set<resource_id> locks_;
  std::map<resource_id, lock_book::holding> held_;
};

}  // namespace forkloom::checkers

// Semaphores that a trace uses as locks: whoever posts one is whoever took it last, and nobody
// takes it, or could take it, a second time before. A semaphore that counts things is posted by
// others, or taken by several. One that is kept longer than a lock under which it was taken belongs
// to a group (the first reader takes it for all, and the last one gives it back), even if the last
// one happens to be the first. Kept up to date like the lock book, for what that does not know.
//
// The first post may be by anybody, before all else: that is how the value is set that it begins
// with. Of System V semaphores each one of a set is a lock of its own, if every call changes it
// alone and by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "checkers/lock_book.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

// What a call does to one semaphore, or was meant to do if it failed.
struct semaphore_step {
  resource_id semaphore = no_resource;  // one of a set: see one_of_set()
  int change = 0;
  bool undone = false;  // by the kernel, when the process ends
};

// Nothing, if the call concerns no semaphore, or several at once.
[[nodiscard]] semaphore_step step_of(const event& e);

// A semaphore of a set as a resource of its own, which no other resource is. Sets that an execution
// can have are far fewer than there are numbers.
[[nodiscard]] resource_id one_of_set(resource_id set, std::uint16_t number);
[[nodiscard]] resource_id set_of(resource_id one);  // no_resource, if it is none of those
[[nodiscard]] std::uint16_t number_in_set(resource_id one);

class semaphore_locks {
 public:
  // Reads the whole trace: whether a semaphore is a lock shows only at the end.
  explicit semaphore_locks(const trace& what);

  // The next event has happened.
  void take(std::size_t event);

  [[nodiscard]] bool is_lock(resource_id semaphore) const { return locks_.contains(semaphore); }

  // Is it a post that gives the lock back? The first one of all may only have made it.
  [[nodiscard]] bool gives_back(std::size_t event) const { return given_back_.contains(event); }

  // The semaphores that a task holds now, in the order of the resources.
  [[nodiscard]] std::vector<lock_book::holding> held_by(task_id task) const;

 private:
  const trace& what_;
  std::set<resource_id> locks_;
  std::set<std::size_t> given_back_;
  std::map<resource_id, lock_book::holding> held_;
};

}  // namespace forkloom::checkers

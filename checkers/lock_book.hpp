// Who holds which mutex, read-write lock, spin lock or lock on a file, kept up to date while the
// events of a trace are read in their order. A lock of an open file counts for the task that took
// it. Of record locks a task has one holding for each range that it asked for, until all of that is
// unlocked or locked anew.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

class lock_book {
 public:
  struct holding {
    resource_id lock = no_resource;  // or the locks of a file
    std::size_t since = 0;           // index of the event that took it
    std::uint32_t depth = 1;  // a recursive mutex can be held several times, and so can a read lock
  };

  explicit lock_book(const trace& what) : what_(what) {}

  // The next event has happened.
  void take(std::size_t event);

  // What a task holds now, in the order of the resources.
  [[nodiscard]] std::vector<holding> held_by(task_id task) const;
  [[nodiscard]] bool holds(task_id task, resource_id lock) const;

  // Who holds it now, in the order of the tasks: several may, if they only read.
  [[nodiscard]] std::vector<task_id> holders(resource_id lock) const;

 private:
  using place = std::pair<task_id, resource_id>;

  void locked(place where, std::size_t event);
  void unlocked(place where);
  void forget(resource_id lock);
  void take_file_event(const event& e, std::size_t at);

  const trace& what_;
  std::map<place, holding> held_;
  std::map<task_id, std::vector<holding>> on_files_;
  std::map<task_id, resource_id> given_up_;  // by a condition wait that goes on
};

}  // namespace forkloom::checkers

// What a process has made of descriptors, mappings, children and threads and not yet given back,
// kept up to date while the events of its threads are read in their order. What it inherited over a
// fork is not its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

class holdings {
 public:
  struct mapping {
    std::uint64_t begin = 0;  // whole pages
    std::uint64_t end = 0;
    std::size_t made_by = 0;
  };

  // The process's next event, with its index. The conventions of the interception:
  //   pipe        before = descriptor to read from, after = descriptor to write to
  //   open, dup, shm_open, mq_open, socket, accept   result = new descriptor;
  //               dup: before = the one duplicated, all ones if it is another task's
  //   close, mq_close   before = descriptor
  //   map, unmap, shmat, shmdt   before = length, after = address
  //   fork        after = index of the child
  //   wait_child  result = process id, or 0 if none was reaped; after = index of the child
  //   thread_create   before = 1 if it was made detached; after = index of the thread
  //   thread_join, thread_detach   after = index of the thread
  void take(const event& e, std::size_t at);

  // By descriptor, mapping, child or thread: the index of the event that made it.
  [[nodiscard]] const std::map<std::uint64_t, std::size_t>& descriptors() const {
    return descriptors_;
  }
  [[nodiscard]] const std::vector<mapping>& mappings() const { return mappings_; }
  [[nodiscard]] const std::map<task_id, std::size_t>& children() const { return children_; }
  // Those that are to be joined.
  [[nodiscard]] const std::map<task_id, std::size_t>& threads() const { return threads_; }

 private:
  void opened(std::uint64_t descriptor, std::size_t at);
  void unmapped(std::uint64_t begin, std::uint64_t end);

  std::map<std::uint64_t, std::size_t> descriptors_;
  std::vector<mapping> mappings_;
  std::map<task_id, std::size_t> children_;
  std::map<task_id, std::size_t> threads_;
};

}  // namespace forkloom::checkers

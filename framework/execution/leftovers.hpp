// What an execution leaves behind in the system's name spaces: found by comparing before and after,
// and removed, so that the next execution begins clean.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "framework/execution/arena.hpp"
#include "framework/execution/unique_fd.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::execution {

// The names in directories that tasks made, that only one could make (lock files), and that are
// still there. Removes them.
[[nodiscard]] std::vector<leftover_record> take_files_left(const arena& a);

class leftovers {
 public:
  // only_known: other programs share the name spaces, so only names that the trace has seen are
  // ours.
  explicit leftovers(bool only_known);

  // What there is now is not ours.
  void look_before();

  // What came since then, in a fixed order. Removes it. Adds them to the trace.
  void collect(trace& what_happened);

 private:
  struct object {
    enum class type { shared_memory_file, message_queue, shm, sem, msg } what;
    std::string name;  // of the file; or the id
    friend auto operator<=>(const object&, const object&) = default;
  };

  // How much the folders hold; System V objects that are there count as well.
  struct fill {
    long shared_memory = 0;
    long message_queues = 0;
    bool system_v = false;
    friend bool operator==(const fill&, const fill&) = default;
  };

  [[nodiscard]] fill measure() const;
  [[nodiscard]] std::set<object> list() const;
  static void remove(const object& o);
  static leftover_record describe(const object& o, const trace& t);

  bool only_known_;
  unique_fd queues_;  // the file system of message queues; none without the right to mount it
  std::set<object> before_;
  fill fill_before_;
};

}  // namespace forkloom::execution

// Runs bodies as the tasks of one execution, and shows what they did to shared memory.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "framework/execution/controller.hpp"
#include "framework/execution/scenario_memory.hpp"
#include "framework/strategy/random_walk.hpp"
#include "framework/trace/memory_access.hpp"
#include "tests/catch.hpp"

namespace forkloom::testing {

using bodies = std::vector<std::function<void()>>;

inline trace trace_of(const bodies& tasks, std::uint64_t seed = 1,
                      const execution::controller::limits& bounds = {}) {
  execution::controller controller(bounds, -1);
  controller.begin(strategy::random_walk{}, seed, false);
  for (const auto& body : tasks) controller.spawn("task", body);
  controller.run();
  return controller.harvest();
}

// A marked access, as a test writes it down.
struct told {
  operation op = operation::none;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  memory_access::sort how = memory_access::sort::plain;
  access_order order = access_order::relaxed;

  bool operator==(const told&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const told& t) {
    return out << name(t.op) << " at " << t.offset << ", " << t.size << " bytes, " << t.before
               << " -> " << t.after << ", sort " << static_cast<int>(t.how) << ", "
               << name(t.order);
  }
};

inline std::vector<told> accesses_in(const trace& what) {
  std::vector<told> found;
  for (const auto& e : what.events) {
    const auto access = access_of(e);
    if (access.how == memory_access::sort::unmarked) continue;
    const auto offset = e.resource == no_resource ? 0 : what.resources[index(e.resource)].offset;
    found.push_back({e.op, offset, access.size, e.before, e.after, access.how, access.order});
  }
  return found;
}

// Shared memory for one object, which begins as zeros.
template <class T>
class in_shared_memory {
 public:
  in_shared_memory() : made_(static_cast<T*>(memory_.allocate(sizeof(T), alignof(T)))) {}
  [[nodiscard]] T* get() const { return made_; }
  T* operator->() const { return made_; }

 private:
  execution::scenario_memory memory_;
  T* made_;
};

}  // namespace forkloom::testing

// What an execution has shown: its class, in which order operations met at each resource, and the
// states that the locks were in. Each is a hash that means the same in every execution of a
// scenario, so that executions can be compared and what is new can be counted.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom {

struct coverage {
  // See schedule_class.hpp.
  std::uint64_t class_hash = 0;

  // Pairs of operations by different tasks, one directly after the other at one resource that one
  // of them changes. An operation is a call at a place in the code, whoever makes it. In no order,
  // each once.
  std::vector<std::uint64_t> orderings;

  // Who holds and who waits for which lock (mutexes, read-write, spin and file locks), after each
  // step that changes that. In no order, each once. Unlike the others they depend on the order of
  // steps that commute.
  std::vector<std::uint64_t> lock_states;
};

[[nodiscard]] coverage coverage_of(const trace& what);

// A number for each resource that is the same in other executions of the scenario: from its kind
// and name; or, if nobody named it, from the task that is first among those that touch it, and the
// first step in which that one does. The numbers of trace::resources follow the schedule.
[[nodiscard]] std::vector<std::uint64_t> stable_resources(const trace& what);

}  // namespace forkloom

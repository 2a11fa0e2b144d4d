// Which executions are the same but for the order of steps that do not matter to each other.
//
// Two steps commute unless they are of one task, or touch the same resource and one of them changes
// it. Executions that can be turned into each other by swapping neighbours that commute are of one
// class (A. Mazurkiewicz, "Trace theory", 1987): what any task sees is the same in all of them.
//
// Steps here are the events that have a meaning for others:
//   - calls that returned. One that failed, or that moved nothing, has only looked;
//   - a call that blocked, if that leaves something behind: a condition wait gives its mutex up, a
//     wait at a barrier or futex counts as a waiter, a writer keeps readers out. All other attempts
//     that blocked are tried again, and what counts is when they come through;
//   - a call that still waits when the execution ends, and one whose time was over: they looked.
// A fork comes before all that its child does. The end of a process looks at what its children do.
//
// What is not seen: that bytes of two objects overlap, that a fork copies what other threads of its
// process have done, that a death lets go what the kernel kept
// for the dead (it shows in what others then get), and time, which makes no order here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom {

// What a step does to a resource.
struct touch {
  resource_id resource = no_resource;
  bool changes = false;
};

// A step, or nothing of the kind (`counts` is false). The two touches are of different resources.
struct footprint {
  bool counts = false;
  touch first;
  touch second;
};

// The footprints of all events, in their order.
[[nodiscard]] std::vector<footprint> footprints(const trace& what);

// Do two steps touch a resource that one of them changes?
[[nodiscard]] bool conflict(const footprint& one, const footprint& other) noexcept;

// A hash of the class: equal for all executions of one class, different for others but by chance
// (2^-64 a pair). It does not depend on how resources and forked tasks are numbered.
[[nodiscard]] std::uint64_t class_of(const trace& what, const std::vector<footprint>& steps);

}  // namespace forkloom

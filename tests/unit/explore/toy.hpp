// Hand-made transition systems: programs of a few letters, run under a strategy as the scheduler
// runs tasks, with a trace as its result. And the brute-force counts to compare explorers with,
// which share no code with them.
//
// A program has a word for each task. Each pair of characters is an operation on an object:
//
//   r w   load, store         l u t   lock, unlock, try to lock a mutex
//   p v   wait for, post a semaphore (0 at first)
//   s g   send to, receive from a queue (empty at first, room for two)
//   c     changes it ("cx"), and its other end ("X"), which is not announced
//   z b   wait at a condition variable ("zm", with the mutex "M", which it must have), broadcast
//   d     stores what it draws below 3
//   y     yields ("y.")
//   k     sleeps ("k3") until so many steps have been made since its last one, or nobody else can
//         go on; only in programs where nobody waits
//
// Resources are numbered in the order of first use, as in real executions: their numbers mean
// nothing to another execution.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/explore/explorer.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::testing {

using toy = std::vector<std::string>;

// Runs the program once. Fails the test if the strategy picks who is not enabled.
[[nodiscard]] trace run_toy(const toy& program, const explore::attempt& how);

struct exploration_result {
  std::vector<trace> executions;
  std::string conclusion;
};

// Asks until the explorer has no more, or that many executions have been.
[[nodiscard]] exploration_result explore_all(const toy& program, explore::explorer& with,
                                             std::size_t executions_max = 200'000);

// All complete schedules by plain recursion: the picks, and what was drawn, attempts that wait
// included. At most so many preemptions.
[[nodiscard]] std::set<std::string> all_schedules(const toy& program, unsigned preemptions_max);

// The classes of complete executions: per object, the order of its changes and of the looks between
// them, and what was drawn.
[[nodiscard]] std::set<std::string> all_classes(const toy& program);

// The classes of those complete schedules that have at most so many preemptions.
[[nodiscard]] std::set<std::string> all_classes_within(const toy& program,
                                                       unsigned preemptions_max);

// Of an execution, the schedule and the class.
[[nodiscard]] std::string schedule_text(const trace& what);
[[nodiscard]] std::string class_text(const toy& program, const trace& what);

}  // namespace forkloom::testing

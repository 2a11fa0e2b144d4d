// What one execution tells of all that are of its class.
//
// A cut of an execution is so many steps of each of its tasks, and with each step all that happens
// before it. Every order of its steps that keeps to happens-before leads to the same state, whether
// it was executed or not. So a state of the program is the cut's class, and who has executed one
// course through it knows them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "framework/explore/partial_order.hpp"
#include "framework/explore/steps.hpp"

namespace forkloom::explore {

using cut = std::vector<std::uint32_t>;  // by task: how many of its steps

class known_execution {
 public:
  struct member {
    footprint touched = {};
    footprint announced = {};  // what it was bound to touch at most
    cut past = {};             // the steps before it, and itself
    std::vector<draw_record> draws = {};
    operation op = operation::none;
    bool failed = false;
    bool yields = false;
    bool waits = false;
    bool tries_unnoticed = false;  // had it had to wait, nobody would have noticed
  };

  known_execution(const trace& what, const step_list& steps, const partial_order& order);

  [[nodiscard]] std::size_t tasks() const noexcept { return members_.size(); }
  [[nodiscard]] const member& at(task_id task, std::uint32_t ordinal) const {
    return members_[index(task)][ordinal];
  }

  // The same for two executions of which the cuts are of one class. Nothing if it has no such
  // steps; any number if what is asked for is no cut of it.
  [[nodiscard]] std::optional<std::uint64_t> hash_at(const cut& where) const noexcept;

  // All that was done: nobody can go on from there.
  [[nodiscard]] bool ends_at(const cut& where) const noexcept;

  // Has the task ended there, or was it not born yet?
  [[nodiscard]] bool is_away(const cut& where, task_id task) const noexcept;

  // The step that it takes next from there; null if this execution does not show it, as something
  // else has to come before.
  [[nodiscard]] const member* next(const cut& where, task_id task) const noexcept;

  // What it is about to do there; for one that is not away.
  [[nodiscard]] const member& announced(const cut& where, task_id task) const noexcept;

  // Does it want a lock there that another task has? Then it has to wait, seen or not.
  [[nodiscard]] bool wants_held_lock(const cut& where, task_id task) const noexcept;

  // Of all that happened there, what can decide whether the task's next operation has to wait: the
  // same number for the same history.
  [[nodiscard]] std::uint64_t history(const cut& where, task_id task) const;

 private:
  struct birth {
    task_id parent = no_task;
    std::uint32_t ordinal = 0;
  };

  void add(const trace& what, const step& s, const footprint& announced, const cut& past,
           std::uint64_t hash);

  std::vector<std::vector<member>> members_;      // by task
  std::vector<std::vector<std::uint64_t>> sums_;  // by task: of the first n steps' hashes
  std::vector<birth> births_;                     // by task
  std::vector<member> pending_;                   // by task: what was never done
};

}  // namespace forkloom::explore

// Dynamic partial-order reduction: one execution for each happens-before class, instead of one for
// each interleaving.
//
// Source sets after Abdulla, Aronis, Jonsson, Sagonas, "Optimal dynamic partial order reduction",
// POPL 2014 (its algorithm 1, Source-DPOR), with sleep sets after Godefroid. In the paper's terms:
// E is the path to a node, backtrack(E) and sleep(E) are the node's; a race of e and e' in an
// execution adds, at the node before e, a task that begins notdep(e, E).e', unless one is there.
//
// Sleep sets alone guarantee that no class is completed twice; source sets keep executions rare
// that begin in vain, because all that could go on has been explored. Those count as repeated.
//
// It departs from the paper in three places. A call that has to wait is no event of the paper's:
// its attempt shows that the task is not enabled (steps.hpp). What tasks wait to do, at the end or
// where a branch was tried in vain, races like what was done; and of what waited behind e, to the
// end or until others let it go on, only what its own task did before is in notdep(e, E). And every
// draw is a branch of its own: all its values are explored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "framework/explore/explorer.hpp"
#include "framework/explore/partial_order.hpp"
#include "framework/explore/search_tally.hpp"
#include "framework/explore/steps.hpp"

namespace forkloom::explore {

class dpor final : public explorer {
 public:
  dpor() = default;

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;
  void learn(const trace& what, bool violated) override;
  [[nodiscard]] bool samples() const override { return false; }
  [[nodiscard]] std::string conclusion() const override;

  [[nodiscard]] std::uint64_t classes() const noexcept { return classes_.size(); }
  [[nodiscard]] std::uint64_t executions() const noexcept { return executions_; }
  [[nodiscard]] bool finished() const noexcept;

 private:
  // A state on the path, and what was and is to be done from there.
  struct node {
    std::size_t pick = 0;  // the number of the pick that is made here, in the last execution
    task_mask enabled = 0;
    task_mask asleep = 0;
    task_mask backtrack = 0;
    task_mask done = 0;       // explored from here, or just being so
    task_mask sleepable = 0;  // of these: those that touched nothing but what they announced
    task_mask waiting = 0;    // found that they have to wait
    task_id chosen = no_task;
    std::vector<draw_record> draws = {};  // of the chosen one's step

    [[nodiscard]] task_mask to_do() const noexcept {
      return backtrack & ~(done | asleep | waiting);
    }
    [[nodiscard]] task_mask asleep_after(task_id task) const noexcept {
      return asleep | (done & sleepable & ~only(task));
    }
  };

  [[nodiscard]] attempt start(const node& at, task_id task);
  [[nodiscard]] bool redraw(const node& at);
  void follow(const node& at);
  [[nodiscard]] bool departed(const trace& what) const;
  void add_waits(const step_list& steps, const trace& what, std::size_t end, std::size_t pick,
                 task_mask waiting);
  [[nodiscard]] static step next_of(const step_list& steps, const trace& what, std::size_t pick,
                                    task_id task);
  [[nodiscard]] bool settle_branch(const step_list& steps, const trace& what);
  [[nodiscard]] std::size_t extend(const step_list& steps, const trace& what);
  [[nodiscard]] static task_mask asleep_below(const node& above, const step& done,
                                              const step_list& steps);
  void add(const race& r, const step_list& steps, const partial_order& order);
  [[nodiscard]] static bool had_to_wait(const race& r, const step_list& steps,
                                        const partial_order& order);
  void add_wait(const race& r, const step_list& steps, const partial_order& order);
  template <class Needed>
  [[nodiscard]] static task_mask initials(const race& r, const step_list& steps,
                                          const partial_order& order, std::size_t end,
                                          const Needed& needed);
  void open(std::size_t node_number, task_id preferred, task_mask initials);
  void open_all_before_time_out(const step_list& steps, const trace& what, std::size_t end);

  std::vector<node> nodes_;
  schedule last_;    // of the last execution that did not depart
  schedule course_;  // of the next one; the attempt refers to it
  task_id tried_ = no_task;
  bool drawn_anew_ = false;
  bool begun_ = false;
  std::unordered_set<std::uint64_t> classes_;
  std::uint64_t executions_ = 0;
  search_tally tally_;
};

}  // namespace forkloom::explore

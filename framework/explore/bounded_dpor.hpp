// One execution for each happens-before class that a schedule with few preemptions leads to, those
// with fewer preemptions first.
//
// Bounded partial-order reduction (Coons, Musuvathi, McKinley, OOPSLA 2013) shows why dpor.hpp
// cannot simply be given a bound: what it explores instead of a schedule is equivalent to that, but
// may need more preemptions. Races found beyond the bound are missing then, and a task is put to
// sleep for what the bound has cut off. Their way out is to add conservative backtrack points, and
// to do without sleep sets: correct, with several executions for one class.
//
// This goes the other way round, after Musuvathi and Qadeer, "Partial-order reduction for
// context-bounded state exploration", MSR-TR-2007-12: all schedules within the bound are looked at,
// as in dfs.hpp, which cannot miss anything; and what is the same for the program is looked at
// once. A state is the class of what was done (known_execution.hpp) and who did the last step, as
// that decides what the next preemption is. States come in the order of their preemptions, so the
// first way to one is the cheapest.
//
// Executions are needed only for what is not known. A step from a state is known if some execution
// has the state as a cut and shows the step from there, in whatever order it came to it. Only if
// there is none is an execution begun, and its class is then a new one, because any other of the
// class would have shown the step. So no class is executed twice, but for those begun with a step
// that turned out to have to wait.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "framework/explore/explorer.hpp"
#include "framework/explore/known_execution.hpp"
#include "framework/explore/search_tally.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom::explore {

class bounded_dpor final : public explorer {
 public:
  // bound: on the preemptions of a schedule.
  explicit bounded_dpor(std::uint32_t bound) : bound_(bound) {}

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;
  void learn(const trace& what, bool violated) override;
  [[nodiscard]] bool samples() const override { return false; }
  [[nodiscard]] std::string conclusion() const override;

  [[nodiscard]] std::uint64_t classes() const noexcept { return classes_.size(); }
  [[nodiscard]] std::uint64_t executions() const noexcept { return executions_; }
  [[nodiscard]] bool finished() const noexcept;

  // States that are remembered; a search that meets more ends, and says that there are more.
  static constexpr std::size_t states_max = 5'000'000;

 private:
  struct state {
    std::uint32_t before = 0;    // the state that the last step led here from
    std::uint32_t home = 0;      // an execution that it is a cut of
    std::uint64_t hash = 0;      // of the cut
    std::uint32_t depth = 0;     // in steps
    task_id last = no_task;      // whose step the last one was
    bool after_attempt = false;  // before that, the last task of `before` tried in vain to go on
  };

  // A task to go on with from a state.
  struct branch {
    std::uint32_t from = 0;
    task_id task = no_task;
    bool goes_on = false;        // whether it can decides what the others' turns cost
    bool after_attempt = false;  // they are free because the last task would have to wait
  };

  // What is known of a branch.
  struct outlook {
    std::vector<std::uint32_t> shown_by = {};  // executions: one for each result of its draws
    bool known = false;
    std::vector<draw_record> draws = {};  // of the one to execute, if there is more to know
  };

  [[nodiscard]] outlook look_up(const branch& b) const;
  [[nodiscard]] bool has_to_wait(const state& at, const cut& where, task_id task) const;
  void take(const branch& b, const outlook& o);
  void enter(const state& s, const cut& where);
  void add_others(std::uint32_t from, const cut& where, bool goes_on, bool after_attempt);
  [[nodiscard]] attempt start(const branch& b, const outlook& o);

  void settle(const branch& b, const trace& what, const step_list& steps);
  void note_waits(const trace& what, const step_list& steps, const known_execution& shown);
  void begin_anew();

  [[nodiscard]] std::vector<std::uint32_t> way_to(std::uint32_t state) const;
  [[nodiscard]] cut cut_at(std::uint32_t state) const;
  [[nodiscard]] static std::uint64_t key(std::uint64_t hash, task_id task) noexcept;

  std::uint32_t bound_;
  std::uint32_t preemptions_ = 0;  // of what is explored now
  std::vector<branch> now_;        // the last one first
  std::vector<branch> later_;      // with one preemption more
  bool left_out_ = false;          // something, because of the bound
  bool begun_ = false;
  bool timed_ = false;  // deadlines come in between: every order of steps is another class

  std::vector<known_execution> known_;
  std::vector<state> states_;
  std::unordered_set<std::uint64_t> entered_;  // states, by cut and last task
  std::unordered_set<std::uint64_t> waiting_;  // tasks that have to wait, by their history
  std::unordered_set<std::uint64_t> unable_;   // tasks that cannot go on, by cut
  schedule course_;                            // of the next execution; the attempt refers to it
  std::vector<std::uint32_t> picks_;           // of the course: those that are steps

  std::unordered_set<std::uint64_t> classes_;
  std::uint64_t executions_ = 0;
  search_tally tally_;
};

}  // namespace forkloom::explore

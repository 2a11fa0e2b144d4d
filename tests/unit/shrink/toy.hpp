// A system made by hand: tasks that do so many steps each, on numbered things, and a predicate on
// the order of the steps that says whether that fails. It runs schedules as an execution does.
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "framework/shrink/trial.hpp"
#include "framework/strategy/replay.hpp"

namespace forkloom::tests {

// A task's step: (task, its number from 0).
using toy_step = std::pair<unsigned, unsigned>;
using toy_order = std::vector<toy_step>;

struct toy {
  std::vector<std::vector<unsigned>> tasks;  // by task and step: which thing it is about
  std::function<bool(const toy_order&)> fails;
  std::vector<toy_step> draws = {};  // these draw a number below 3
  unsigned executions = 0;
  std::vector<draw_record> last_draws = {};
  std::map<toy_step, std::uint32_t> last_values = {};  // of the draws

  shrink::outcome run(const schedule& what) {
    ++executions;
    strategy::replay replay(what);
    replay.begin(0);
    shrink::outcome made;
    auto& t = made.what_happened;
    for (std::size_t i = 0; i < tasks.size(); ++i)
      t.tasks.push_back(
          {.name = "task " + std::to_string(i), .end = {.kind = task_end::how::exited}});
    for (unsigned i = 0; i < 10; ++i) t.resources.push_back({.name = std::to_string(i)});
    std::vector<unsigned> done(tasks.size());
    toy_order order;
    for (auto current = no_task;;) {
      execution::task_set enabled;
      for (std::size_t i = 0; i < tasks.size(); ++i)
        if (done[i] < tasks[i].size()) enabled.insert(task_id(static_cast<std::uint16_t>(i)));
      if (enabled.empty()) break;
      const strategy::choice asked{enabled, current, false};
      current = replay.pick(asked);
      t.pick_kinds.push_back(strategy::kind_of(asked, current));
      t.schedule.push_back(current);
      if (t.schedule.size() > 1 && current != t.schedule[t.schedule.size() - 2]) ++t.switches;
      const auto task = static_cast<unsigned>(index(current));
      const toy_step step{task, done[task]};
      t.events.push_back({.step = t.schedule.size(),
                          .resource = resource_id{tasks[task][done[task]++]},
                          .task = current,
                          .op = operation::modify});
      order.push_back(step);
      for (const auto& draw : draws) {
        if (draw != step) continue;
        const auto value = static_cast<std::uint32_t>(replay.draw(3));
        last_values[step] = value;
        t.draws.push_back(
            {.step = static_cast<std::uint32_t>(t.schedule.size()), .value = value, .bound = 3});
      }
    }
    t.steps = t.schedule.size();
    last_draws = t.draws;
    made.fails = fails(order);
    return made;
  }

  [[nodiscard]] shrink::runner runner() {
    return [this](const schedule& what) { return run(what); };
  }
};

// The place of a step in the order.
inline std::size_t at(const toy_order& order, toy_step which) {
  std::size_t i = 0;
  while (i < order.size() && order[i] != which) ++i;
  return i;
}

// Does one step come before the other, and a third between the two?
inline bool between(const toy_order& order, toy_step first, toy_step middle, toy_step last) {
  return at(order, first) < at(order, middle) && at(order, middle) < at(order, last);
}

// Every step goes to the next task.
inline schedule restless(std::uint32_t steps, unsigned tasks) {
  schedule made;
  for (std::uint32_t i = 0; i < steps; ++i)
    made.picks.push_back({i, task_id(static_cast<std::uint16_t>(i % tasks))});
  return made;
}

}  // namespace forkloom::tests

#include "framework/explore/steps.hpp"

#include <algorithm>
#include <cerrno>
#include <span>

#include "framework/explore/places.hpp"
#include "framework/strategy/dependence.hpp"
#include "framework/trace/children.hpp"

namespace forkloom::explore {
namespace {

using strategy::changes_by_death;
using strategy::ends_task;
using strategy::touches_everything;
using strategy::touches_nothing;
using strategy::waits_unnoticed;

bool is_pipe(resource_kind kind) {
  return kind == resource_kind::pipe || kind == resource_kind::fifo;
}

bool may_be_held(resource_kind kind) {
  return kind == resource_kind::mutex || kind == resource_kind::spin_lock ||
         kind == resource_kind::rwlock;
}

bool gives_back(operation op) {
  return op == operation::mutex_unlock || op == operation::spin_unlock ||
         op == operation::rwlock_unlock;
}

// Does a fork give the child one of its own, as it is at that time? All that the program has in its
// own memory, and whatever it has a descriptor or a mapping of.
bool is_copied_by_fork(const resource_record& r) {
  switch (r.kind) {
    case resource_kind::process:
    case resource_kind::thread:
    case resource_kind::signal:
    case resource_kind::logical:
    case resource_kind::directory_entry:
    case resource_kind::record_lock:
    case resource_kind::system_v_key:
    case resource_kind::system_v_queue:
    case resource_kind::system_v_semaphore:
      return false;
    default:
      return r.object == 0;
  }
}

// A look that stands back instead of spinning is recorded as one that blocked; it did nothing.
bool stands_back(const event& e) {
  return e.how == outcome::blocked &&
         (e.op == operation::load || e.op == operation::modify || e.op == operation::yield);
}

class reader {
 public:
  explicit reader(const trace& what)
      : what_(what),
        places_(what),
        children_(resources_of_children(what)),
        several_threads_(what.tasks.size()),
        used_(what.tasks.size(), std::vector<operation>(what.resources.size(), operation::none)) {
    for (const auto& task : what.tasks)
      if (task.thread_of != no_task) several_threads_[index(task.thread_of)] = true;
    timers_ = std::any_of(what.events.begin(), what.events.end(), [](const event& e) {
      return e.op == operation::timerfd || e.op == operation::timer_set;
    });
    escapes_ = !what.passed.empty();
  }

  step_list read() {
    step_list result;
    result.picks.resize(what_.tasks.size());
    result.at_end.resize(what_.tasks.size());
    result.pending.resize(what_.tasks.size());
    auto next = what_.events.begin();
    auto draw = what_.draws.begin();
    for (std::size_t pick = 0; pick < what_.choices.size(); ++pick) {
      while (next != what_.events.end() && next->step <= pick) ++next;
      const auto first = next;
      while (next != what_.events.end() && next->step == pick + 1) ++next;
      auto s = step_at(pick, {first, next});
      for (; draw != what_.draws.end() && draw->step <= pick + 1; ++draw)
        if (draw->step == pick + 1) s.draws.push_back(*draw);
      result.picks[index(s.task)].push_back(pick);
      result.by_pick.push_back(
          announced(s.task, {.op = s.op, .kind = kind_of(s.resource), .resource = s.resource}));
      s.as_announced = covers(result.by_pick.back(), s.touched);
      if (s.expired) result.by_pick.back().everything = true;
      if (!found_that_it_must_wait(s, {first, next})) result.done.push_back(std::move(s));
    }
    for (std::size_t i = 0; i < what_.tasks.size(); ++i) add_pending(result, task_id(i));
    return result;
  }

 private:
  [[nodiscard]] resource_kind kind_of(resource_id resource) const {
    return resource == no_resource ? resource_kind::unknown : what_.resources[index(resource)].kind;
  }

  [[nodiscard]] task_id process_of(task_id task) const {
    const auto process = what_.tasks[index(task)].thread_of;
    return process == no_task ? task : process;
  }

  step step_at(std::size_t pick, std::span<const event> events) {
    const auto& chosen = what_.choices[pick];
    step s{.task = chosen.picked, .pick = pick, .op = chosen.op, .resource = chosen.resource};
    s.expired = (chosen.expired & only(chosen.picked)) != 0;
    s.touched.everything = s.expired || escapes_ || left_waiting_for_time(pick);
    add_process(s.touched, s.task);
    for (const auto& e : events) {
      s.failed |= e.op == s.op && e.error != 0;
      if (e.task == s.task) s.waits = e.how == outcome::blocked;
      if (e.op == s.op) s.second = e.second;
      add(s, e);
      if (index(e.task) >= used_.size()) continue;
      if (index(e.resource) < what_.resources.size())
        used_[index(e.task)][index(e.resource)] = e.op;
      if (e.op == operation::cond_wait && index(e.second) < what_.resources.size())
        used_[index(e.task)][index(e.second)] =
            e.how == outcome::blocked ? operation::mutex_unlock : operation::mutex_lock;
    }
    return s;
  }

  [[nodiscard]] bool left_waiting_for_time(std::size_t pick) const {
    return pick + 1 < what_.choices.size() && what_.choices[pick + 1].left_waiting_for_time;
  }

  void add_process(footprint& to, task_id task) const {
    const auto process = process_of(task);
    if (several_threads_[index(process)]) to.add(places_.life_of(process), touch::looks);
  }

  // A fork copies what other threads of the process have changed, locks of their own for instance.
  void add_copied(footprint& to, task_id task, operation op, resource_id resource,
                  touch how) const {
    const auto process = process_of(task);
    if (!several_threads_[index(process)]) return;
    if (op == operation::fork)
      to.add(places_.copied_from(process), touch::changes);
    else if (how != touch::looks && resource != no_resource &&
             is_copied_by_fork(what_.resources[index(resource)]))
      to.add(places_.copied_from(process), touch::looks);
  }

  bool found_that_it_must_wait(const step& s, std::span<const event> events) const {
    return events.size() == 1 && !s.touched.everything && s.draws.empty() &&
           events[0].task == s.task && events[0].how == outcome::blocked && events[0].op == s.op &&
           waits_unnoticed(s.op, kind_of(events[0].resource));
  }

  void add(step& s, const event& e) {
    auto& to = s.touched;
    if (touches_nothing(e.op) || stands_back(e)) return;
    if (ends_task(e.op)) return add_end(s, e);
    if (e.task != s.task || e.how == outcome::timed_out || touches_everything(e.op) ||
        (timers_ && kind_of(e.resource) == resource_kind::event_source)) {
      to.everything = true;
      return;
    }
    if (e.op == operation::fork || e.op == operation::thread_create)
      s.born = e.error == 0 ? task_id(e.after) : no_task;
    const auto how = touch_of(e);
    add_copied(to, e.task, e.op, e.resource, how);
    if (e.op == operation::cond_wait && e.how == outcome::completed && e.error == 0)
      return to.add(places_.of(e.second), touch::changes);  // all that is left is the mutex
    if (e.resource == no_resource) {
      to.everything |= traits(e.op).changes && e.op != operation::expect;
      return;
    }
    to.add(places_.of(e.resource), how);
    if (e.second != no_resource) to.add(places_.of(e.second), how);
  }

  [[nodiscard]] touch touch_of(const event& e) const {
    if (!traits(e.op).changes || only_looked(e)) return touch::looks;
    if (e.how == outcome::completed && leaves_as_it_is(e)) return touch::looks;
    if (e.op == operation::close && is_pipe(kind_of(e.resource))) return touch::closes;
    const bool took = e.op == operation::read && e.how == outcome::completed && e.result > 0;
    return took && is_pipe(kind_of(e.resource)) ? touch::takes : touch::changes;
  }

  static bool leaves_as_it_is(const event& e) {
    if (e.error == EAGAIN || e.error == EBUSY || e.error == EPERM || e.error == EDEADLK)
      return true;
    if (e.op == operation::wait_child) return e.error != 0 || e.result == 0;
    return moved_nothing(e) || (e.op == operation::barrier_wait && e.result == 0);
  }

  // An end of a task. The kernel's clean-up is part of it.
  void add_end(step& s, const event& e) {
    auto& to = s.touched;
    if (process_of(e.task) != process_of(s.task)) {
      to.everything = true;
      return;
    }
    if (e.resource != no_resource) to.add(places_.of(e.resource), touch::changes);
    add_clean_up(to, e.task, e.op == operation::exit, true);
  }

  // known: with what the task has done so far; otherwise whatever it may do until then.
  void add_clean_up(footprint& to, task_id task, bool of_process, bool known) const {
    const auto process = process_of(task);
    if (of_process && several_threads_[index(process)])
      to.add(places_.life_of(process), touch::changes);
    if (of_process && children_[index(process)] != no_resource)
      to.add(places_.of(children_[index(process)]), touch::looks);
    for (std::size_t r = 0; r < what_.resources.size(); ++r) {
      const auto kind = what_.resources[r].kind;
      if (!changes_by_death(kind) || kind == resource_kind::process ||
          kind == resource_kind::thread || kind == resource_kind::signal ||
          kind == resource_kind::unknown)
        continue;
      const auto place = places_.of(resource_id(r));
      if (is_pipe(kind) || kind == resource_kind::socket || kind == resource_kind::event_source)
        to.add(place, touch::closes);
      else if (!known || left_something(process, r, kind))
        to.add(place, touch::changes);
    }
  }

  [[nodiscard]] bool left_something(task_id process, std::size_t resource,
                                    resource_kind kind) const {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const auto last = used_[i][resource];
      if (process_of(task_id(i)) != process || last == operation::none) continue;
      if (!may_be_held(kind) || !gives_back(last)) return true;
    }
    return false;
  }

  // What the next step of a task touches at most, as far as its operation tells.
  [[nodiscard]] footprint announced(task_id task, const strategy::pending_operation& next) const {
    footprint to;
    add_process(to, task);
    to.everything = escapes_ || touches_everything(next.op) ||
                    (timers_ && next.kind == resource_kind::event_source);
    if (touches_nothing(next.op)) return to;
    const auto how = traits(next.op).changes ? touch::changes : touch::looks;
    add_copied(to, task, next.op, next.resource, how);
    if (next.resource != no_resource)
      to.add(places_.of(next.resource), how);
    else if (!ends_task(next.op))
      to.everything |= traits(next.op).changes && next.op != operation::expect;
    if (ends_task(next.op)) add_clean_up(to, task, true, false);
    if (next.op == operation::cond_wait) add_mutexes(to);
    return to;
  }

  void add_mutexes(footprint& to) const {
    for (std::size_t r = 0; r < what_.resources.size(); ++r)
      if (what_.resources[r].kind == resource_kind::mutex ||
          what_.resources[r].kind == resource_kind::condition)
        to.add(places_.of(resource_id(r)), touch::changes);
  }

  static bool covers(const footprint& all, const footprint& some) {
    if (all.everything) return true;
    if (some.everything) return false;
    return std::all_of(some.accesses.begin(), some.accesses.end(), [&](const access& one) {
      return std::any_of(all.accesses.begin(), all.accesses.end(), [&](const access& other) {
        return other.place == one.place && (other.how == touch::changes || other.how == one.how);
      });
    });
  }

  void add_pending(step_list& result, task_id task) const {
    const auto& record = what_.tasks[index(task)];
    if (record.pending == operation::none) return;
    step s{.task = task,
           .pick = what_.choices.size(),
           .op = record.pending,
           .resource = record.pending_resource};
    s.touched = announced(task, {.op = record.pending,
                                 .kind = kind_of(record.pending_resource),
                                 .resource = record.pending_resource});
    result.at_end[index(task)] = s.touched;
    result.pending[index(task)] = std::move(s);
  }

  const trace& what_;
  places places_;
  std::vector<resource_id> children_;         // by process: the resource that stands for them
  std::vector<bool> several_threads_;         // by process
  std::vector<std::vector<operation>> used_;  // by task and resource: its last operation there
  bool timers_ = false;
  bool escapes_ = false;  // calls passed that are not under control: nothing is known to commute
};

}  // namespace

void footprint::add(std::uint32_t place, touch how) {
  const auto at = std::lower_bound(accesses.begin(), accesses.end(), place,
                                   [](const access& a, std::uint32_t p) { return a.place < p; });
  if (at == accesses.end() || at->place != place)
    accesses.insert(at, {place, how});
  else
    at->how = at->how == how ? how : touch::changes;
}

bool conflict(const footprint& a, const footprint& b) noexcept {
  if (a.everything || b.everything) return true;
  auto x = a.accesses.begin();
  auto y = b.accesses.begin();
  while (x != a.accesses.end() && y != b.accesses.end()) {
    if (x->place == y->place && conflict(x->how, y->how)) return true;
    if (x->place < y->place)
      ++x;
    else
      ++y;
  }
  return false;
}

const footprint& step_list::announced(std::size_t pick, task_id task) const {
  const auto& own = picks[index(task)];
  const auto next = std::lower_bound(own.begin(), own.end(), pick);
  return next == own.end() ? at_end[index(task)] : by_pick[*next];
}

step_list steps_of(const trace& what) { return reader(what).read(); }

}  // namespace forkloom::explore

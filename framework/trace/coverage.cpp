#include "framework/trace/coverage.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "framework/trace/fold.hpp"
#include "framework/trace/lock_operations.hpp"
#include "framework/trace/schedule_class.hpp"
#include "framework/trace/stable_label.hpp"
#include "framework/trace/vector_clock.hpp"

namespace forkloom {
namespace {

void keep_each_once(std::vector<std::uint64_t>& all) {
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
}

bool has_only_number(const resource_record& r) { return is_numbered(r.kind, r.name, name(r.kind)); }

// The way to a task from the process that the scenario declared: its parents, and how many children
// each of them had before.
std::vector<std::uint64_t> stable_tasks(const trace& what) {
  std::vector<std::uint64_t> all;
  std::vector<std::uint64_t> children(what.tasks.size());
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    const auto parent = what.tasks[i].parent;
    if (parent == no_task || index(parent) >= i)
      all.push_back(i);
    else
      all.push_back(fold(all[index(parent)], ++children[index(parent)]));
  }
  return all;
}

// The orderings at each resource.
class meetings {
 public:
  explicit meetings(const std::vector<std::uint64_t>& resources)
      : stable_(resources), places_(resources.size()) {}

  void take(const event& e, const touch& t) {
    if (index(t.resource) >= places_.size()) return;
    const operation_at now{e.task, fold(static_cast<std::uint64_t>(e.op), e.site)};
    auto& p = places_[index(t.resource)];
    const auto& resource = stable_[index(t.resource)];
    if (p.change && p.change->task != now.task) met(resource, *p.change, now);
    if (!t.changes) {
      if (std::find(p.looks.begin(), p.looks.end(), now) == p.looks.end()) p.looks.push_back(now);
      return;
    }
    for (const auto& look : p.looks)
      if (look.task != now.task) met(resource, look, now);
    p.change = now;
    p.looks.clear();
  }

  [[nodiscard]] std::vector<std::uint64_t> done() {
    keep_each_once(found_);
    return std::move(found_);
  }

 private:
  struct operation_at {
    task_id task = no_task;
    std::uint64_t what = 0;
    friend bool operator==(const operation_at&, const operation_at&) = default;
  };
  struct place {
    std::optional<operation_at> change;  // the last one
    std::vector<operation_at> looks;     // since then
  };

  void met(std::uint64_t resource, const operation_at& first, const operation_at& then) {
    found_.push_back(fold(fold(resource, first.what), then.what));
  }

  const std::vector<std::uint64_t>& stable_;
  std::vector<place> places_;
  std::vector<std::uint64_t> found_;
};

// Who holds and waits for what. The state's hash is the sum of those of its parts.
class locks {
 public:
  locks(const trace& what, const std::vector<std::uint64_t>& resources)
      : what_(what), resources_(resources), tasks_(stable_tasks(what)) {}

  void take(const event& e) {
    if (index(e.task) >= tasks_.size()) return;
    const auto before = state_;
    leave(waits_, e.task);
    if (const auto mutex = mutex_given_up(what_, e); mutex != no_resource) let_go(e.task, mutex);
    if (e.op == operation::exit) leave_all(e.task);
    if (is_taking(e.op)) take_lock(e);
    if (completed(e) && gives_back(e.op)) let_go(e.task, e.resource);
    if (e.op == operation::cond_wait && mutex_retaken(e)) hold(e.task, e.second);
    if (state_ != before) found_.push_back(state_);
  }

  [[nodiscard]] std::vector<std::uint64_t> done() {
    keep_each_once(found_);
    return std::move(found_);
  }

 private:
  static bool completed(const event& e) { return e.how == outcome::completed && e.error == 0; }

  static bool is_taking(operation op) { return takes_lock(op) || takes_file_lock(op); }
  static bool gives_back(operation op) { return gives_lock_back(op) || gives_file_lock_back(op); }

  void take_lock(const event& e) {
    if (e.how == outcome::blocked)
      enter(waits_, e.task, e.resource, 1);
    else if (completed(e))
      hold(e.task, e.resource);
  }

  using places = std::map<std::pair<task_id, resource_id>, std::uint64_t>;

  void hold(task_id task, resource_id lock) { enter(held_, task, lock, 2); }

  void enter(places& all, task_id task, resource_id lock, std::uint64_t as) {
    if (index(lock) >= resources_.size()) return;
    const auto part = fold(fold(fold(as, tasks_[index(task)]), resources_[index(lock)]), 0);
    if (all.try_emplace({task, lock}, part).second) state_ += part;
  }

  // A lock that another task took may be given back by any.
  void let_go(task_id task, resource_id lock) {
    auto entry = held_.find({task, lock});
    if (entry == held_.end())
      entry = std::find_if(held_.begin(), held_.end(),
                           [&](const auto& h) { return h.first.second == lock; });
    if (entry == held_.end()) return;
    state_ -= entry->second;
    held_.erase(entry);
  }

  void leave(places& all, task_id task) {
    for (auto i = all.lower_bound({task, resource_id{0}}); i != all.end() && i->first.first == task;
         i = all.erase(i))
      state_ -= i->second;
  }

  void leave_all(task_id task) {
    leave(waits_, task);
    leave(held_, task);
  }

  const trace& what_;
  const std::vector<std::uint64_t>& resources_;
  std::vector<std::uint64_t> tasks_;
  places held_;
  places waits_;
  std::uint64_t state_ = 0;
  std::vector<std::uint64_t> found_;
};

// By resource: the first step at it, of the task that comes first.
std::vector<std::uint64_t> first_touches(const trace& what) {
  const auto steps = footprints(what);
  std::vector<std::uint64_t> made(what.tasks.size());  // steps, by task
  using arrival = std::tuple<std::size_t, std::uint64_t, int>;
  std::vector<std::optional<arrival>> first(what.resources.size());
  const auto tasks = stable_tasks(what);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto task = index(what.events[i].task);
    if (!steps[i].counts || task >= made.size()) continue;
    ++made[task];
    int role = 0;
    for (const auto& t : {steps[i].first, steps[i].second}) {
      ++role;
      if (index(t.resource) >= first.size()) continue;
      auto& known = first[index(t.resource)];
      const arrival now{tasks[task], made[task], role};
      if (!known || now < *known) known = now;
    }
  }
  std::vector<std::uint64_t> all;
  for (const auto& f : first)
    all.push_back(f ? fold(fold(fold(0, std::get<0>(*f)), std::get<1>(*f)),
                           static_cast<std::uint64_t>(std::get<2>(*f)))
                    : 0);
  return all;
}

}  // namespace

std::vector<std::uint64_t> stable_resources(const trace& what) {
  const bool all_named =
      std::none_of(what.resources.begin(), what.resources.end(), has_only_number);
  const auto touches =
      all_named ? std::vector<std::uint64_t>(what.resources.size()) : first_touches(what);
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < what.resources.size(); ++i) {
    const auto& r = what.resources[i];
    const auto kind = fold(1, static_cast<std::uint64_t>(r.kind));
    all.push_back(has_only_number(r) ? fold(kind, touches[i]) : fold(kind, r.name));
  }
  return all;
}

coverage coverage_of(const trace& what) {
  const auto steps = footprints(what);
  const auto resources = stable_resources(what);
  meetings orderings(resources);
  locks states(what, resources);
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const auto& e = what.events[i];
    if (e.task != no_task) states.take(e);
    if (!steps[i].counts) continue;
    for (const auto& t : {steps[i].first, steps[i].second}) orderings.take(e, t);
  }
  return {.class_hash = class_of(what, steps),
          .orderings = orderings.done(),
          .lock_states = states.done()};
}

}  // namespace forkloom

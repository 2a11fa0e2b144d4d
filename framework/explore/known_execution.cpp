#include "framework/explore/known_execution.hpp"

#include <algorithm>

#include "framework/strategy/dependence.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::explore {
namespace {

resource_kind kind_of(const trace& what, resource_id resource) {
  return index(resource) < what.resources.size() ? what.resources[index(resource)].kind
                                                 : resource_kind::unknown;
}

bool wants_lock(operation op) {
  return op == operation::mutex_lock || op == operation::spin_lock ||
         op == operation::rwlock_wrlock || op == operation::rwlock_rdlock;
}

bool takes_lock(operation op) {
  return op == operation::mutex_lock || op == operation::mutex_trylock ||
         op == operation::spin_lock || op == operation::rwlock_wrlock;
}

}  // namespace

known_execution::known_execution(const trace& what, const step_list& steps,
                                 const partial_order& order)
    : members_(what.tasks.size()),
      sums_(what.tasks.size(), std::vector<std::uint64_t>{0}),
      births_(what.tasks.size()),
      pending_(what.tasks.size()) {
  for (std::size_t i = 0; i < steps.done.size(); ++i)
    add(what, steps.done[i], steps.by_pick[steps.done[i].pick], order.clock_of(i),
        order.hash_of(i));
  for (std::size_t t = 0; t < pending_.size(); ++t) {
    const auto& s = steps.pending[t];
    pending_[t].op = s.op;
    pending_[t].announced = steps.at_end[t];
    pending_[t].tries_unnoticed = strategy::waits_unnoticed(s.op, kind_of(what, s.resource));
  }
}

void known_execution::add(const trace& what, const step& s, const footprint& announced,
                          const cut& past, std::uint64_t hash) {
  auto& own = members_[index(s.task)];
  if (index(s.born) < births_.size())
    births_[index(s.born)] = {s.task, static_cast<std::uint32_t>(own.size())};
  own.push_back({.touched = s.touched,
                 .announced = announced,
                 .past = past,
                 .draws = s.draws,
                 .op = s.op,
                 .failed = s.failed,
                 .yields = s.pick + 1 < what.choices.size() && what.choices[s.pick + 1].yields,
                 .waits = s.waits,
                 .tries_unnoticed = strategy::waits_unnoticed(s.op, kind_of(what, s.resource))});
  auto& sums = sums_[index(s.task)];
  sums.push_back(sums.back() + hash);
}

std::optional<std::uint64_t> known_execution::hash_at(const cut& where) const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t t = 0; t < where.size(); ++t) {
    if (where[t] == 0) continue;
    if (t >= sums_.size() || where[t] >= sums_[t].size()) return std::nullopt;
    sum += sums_[t][where[t]];
  }
  return sum;
}

bool known_execution::ends_at(const cut& where) const noexcept {
  for (std::size_t t = 0; t < members_.size(); ++t)
    if (members_[t].size() > (t < where.size() ? where[t] : 0)) return false;
  return true;
}

bool known_execution::is_away(const cut& where, task_id task) const noexcept {
  const auto t = index(task);
  const auto& born = births_[t];
  if (born.parent != no_task && where[index(born.parent)] <= born.ordinal) return true;
  return where[t] >= members_[t].size() && pending_[t].op == operation::none;
}

const known_execution::member* known_execution::next(const cut& where,
                                                     task_id task) const noexcept {
  const auto t = index(task);
  if (t >= members_.size() || where[t] >= members_[t].size()) return nullptr;
  const auto& found = members_[t][where[t]];
  for (std::size_t other = 0; other < found.past.size(); ++other)
    if (other != t && found.past[other] > where[other]) return nullptr;
  return &found;
}

const known_execution::member& known_execution::announced(const cut& where,
                                                          task_id task) const noexcept {
  const auto t = index(task);
  return where[t] < members_[t].size() ? members_[t][where[t]] : pending_[t];
}

// The last one to change the lock has taken it: all changes of one place are in one order.
bool known_execution::wants_held_lock(const cut& where, task_id task) const noexcept {
  const auto& wanted = announced(where, task);
  if (!wants_lock(wanted.op) || wanted.announced.everything) return false;
  const member* latest = nullptr;
  std::size_t by = 0;
  for (std::size_t t = 0; t < members_.size(); ++t)
    for (auto n = where[t]; n > 0; --n) {
      const auto& m = members_[t][n - 1];
      if (m.failed || !conflict(m.touched, wanted.announced)) continue;
      if (latest == nullptr || m.past[by] >= latest->past[by]) {
        latest = &m;
        by = t;
      }
      break;
    }
  return latest != nullptr && by != index(task) && takes_lock(latest->op);
}

std::uint64_t known_execution::history(const cut& where, task_id task) const {
  const auto own = where[index(task)];
  cut past = own > 0 ? members_[index(task)][own - 1].past : cut(members_.size());
  const auto& wanted = announced(where, task).announced;
  for (std::size_t t = 0; t < members_.size(); ++t) {
    // The last one that matters has those before it of its task in its past.
    for (auto n = where[t]; n > past[t]; --n) {
      const auto& m = members_[t][n - 1];
      if (!conflict(m.touched, wanted)) continue;
      for (std::size_t i = 0; i < past.size(); ++i) past[i] = std::max(past[i], m.past[i]);
    }
  }
  return strategy::mix(hash_at(past).value_or(0) ^ strategy::mix(index(task) + 1));
}

}  // namespace forkloom::explore

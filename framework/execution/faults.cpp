#include "framework/execution/faults.hpp"

#include <signal.h>

#include <algorithm>

#include "framework/execution/call.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::execution::faults {
namespace {

constexpr std::uint64_t rarities = 5;

// What is stopped goes on at each choice once in so many times: some steps of others pass.
constexpr std::uint64_t choices_stopped = 32;

// Above the kinds, in the word that says what may happen: a process was stopped and must go on.
constexpr fault_set somebody_was_stopped = fault_set{1} << 31;

constexpr auto timeout = fault_kind::timeout;

std::uint32_t rarity(std::uint64_t seed, std::size_t kind) noexcept {
  return 2U << (2 * (strategy::mix(seed ^ strategy::mix(kind + 1)) % rarities));
}

bool looks_at_memory(operation op) noexcept {
  return op == operation::load || op == operation::modify || op == operation::yield;
}

// A sleep is no time-out. But where time-outs race, the machine may be as slow as it likes, and
// whoever trusts a sleep to be long enough shall see.
bool may_be_early(const arena& a, const task& t) noexcept {
  if (t.state != task_state::blocked || t.deadline_ns == no_deadline) return false;
  if (looks_at_memory(t.pending)) return false;  // it spins
  return t.pending != operation::sleep || a.config.timeouts == timeout_policy::race;
}

void resume(arena& a, task_id process) noexcept {
  auto& s = a.schedule;
  a.faults.stopped.erase(process);
  if (!signals::lives(a, process) || !a[process].stopped) return;
  if (s.stop_due != no_task && a[s.stop_due].process == process) {
    s.stop_due = no_task;  // nobody has run since it was to stop, and it has not yet
    return signals::goes_on(a, process);
  }
  sys::call(SYS_kill, a[process].pid.load(), SIGCONT);
  signals::await_continuation(a, process);
  signals::let_go_on(a, process);
}

}  // namespace

void begin(arena& a) noexcept {
  auto& s = a.schedule;
  s.faults = 0;
  a.faults.stopped.clear();
  a.faults.chances = {};
  a.faults.left = a.config.faults.most;
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind) {
    a.faults.one_in[kind] = rarity(a.config.random_seed, kind);
    if (a.faults.left[kind] != 0) s.faults |= only(fault_kind(kind));
  }
  if (a.config.timeouts == timeout_policy::race) s.faults |= only(timeout);
}

bool happens(arena& a, fault_kind kind) noexcept {
  auto& f = a.faults;
  ++f.chances[index(kind)];
  if (!chance(f.one_in[index(kind)])) return false;
  const bool unbounded = kind == timeout && a.config.timeouts == timeout_policy::race;
  if (!unbounded && --f.left[index(kind)] == 0) a.schedule.faults &= ~only(kind);
  return true;
}

void tell(arena& a, task_id task, fault_kind kind, operation op, resource_id resource,
          std::uint64_t site) noexcept {
  auto& hash = a.schedule.hash;
  hash = strategy::mix(hash ^ (std::uint64_t{index(kind)} << 56 | index(task)));
  auto* e = append_event(a, task, operation::fault, resource, outcome::completed);
  if (e == nullptr) return;
  e->before = index(kind);
  e->after = static_cast<std::uint64_t>(op);
  e->site = site;
}

void die() noexcept {
  sys::call(SYS_kill, sys::call(SYS_getpid), SIGKILL);
  for (;;) sys::call(SYS_pause);
}

void stop(arena& a, task_id me) noexcept {
  a.faults.stopped.insert(a[me].process);
  a.schedule.faults |= somebody_was_stopped;
  signals::stop_self(a, me, SIGSTOP);
}

void let_stopped_go_on(arena& a) noexcept {
  if (a.faults.stopped.empty()) return;
  const auto all = a.faults.stopped;
  all.for_each([&](task_id process) {
    if (!a[process].stopped || chance(choices_stopped)) resume(a, process);
  });
}

bool wake_stopped(arena& a) noexcept {
  if (a.faults.stopped.empty()) return false;
  if (a.schedule.next_deadline_ns != no_deadline && chance(2)) return false;
  resume(a, a.faults.stopped.nth(0));
  return true;
}

early_deadline draw_deadline(arena& a) noexcept {
  const auto& s = a.schedule;
  std::uint64_t count = 0;
  auto of_tasks = no_deadline;
  for (std::uint32_t i = 0; i < s.task_count; ++i) {
    of_tasks = std::min(of_tasks, a.tasks[i].deadline_ns);
    if (may_be_early(a, a.tasks[i])) ++count;
  }
  const bool timer = a.config.timeouts == timeout_policy::race && s.next_deadline_ns < of_tasks;
  if (count == 0 && !timer) return {};
  if (!happens(a, timeout)) return {};
  auto which = draw(count + (timer ? 1 : 0));
  for (std::uint32_t i = 0; i < s.task_count; ++i)
    if (may_be_early(a, a.tasks[i]) && which-- == 0) return {task_id(i), a.tasks[i].deadline_ns};
  return {no_task, s.next_deadline_ns};
}

}  // namespace forkloom::execution::faults

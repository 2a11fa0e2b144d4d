#include "framework/execution/scheduler.hpp"

#include <algorithm>
#include <cmath>

#include "framework/execution/conflict.hpp"
#include "framework/execution/faults.hpp"
#include "framework/execution/parent_death.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/timers.hpp"
#include "framework/strategy/dependence.hpp"
#include "framework/trace/stable_label.hpp"

namespace forkloom::execution {
namespace {

void copy_name(std::span<char> to, std::string_view from) noexcept {
  const auto length = std::min(from.size(), to.size() - 1);
  std::copy_n(from.begin(), length, to.begin());
  to[length] = '\0';
}

void leave_wait_sets(arena& a, task_id id) noexcept {
  auto& d = a.details[index(id)];
  for (std::size_t i = 0; i < d.wait_count; ++i) a.resources[d.waits[i]].waiters.erase(id);
  d.wait_count = 0;
  a.schedule.waiting_for_any.erase(id);
  a.schedule.watchers.erase(id);
  a.schedule.spinners.erase(id);
}

// A task that made a step may have done what watchers wait for. One that has itself just looked in
// vain has not: two watchers do not keep each other awake.
void wake_watchers(arena& a, task_id current) noexcept {
  auto& watchers = a.schedule.watchers;
  if (watchers.empty() || (current != no_task && watchers.contains(current))) return;
  const auto all = watchers;
  all.for_each([&](task_id task) { set_enabled(a, task, wake::retry); });
}

// What a spinner waits for may change in ways that are not seen (code that is not instrumented, the
// kernel): it looks again now and then, and whenever nobody else can go on.
constexpr std::uint64_t spinner_look_steps = 256;

void wake_spinners(arena& a) noexcept {
  const auto all = a.schedule.spinners;
  all.for_each([&](task_id task) { set_enabled(a, task, wake::retry); });
}

// Enables every task whose deadline has come, and finds the next deadline.
void expire_deadlines(arena& a) noexcept {
  auto& s = a.schedule;
  s.next_deadline_ns = no_deadline;
  for (std::uint32_t i = 0; i < s.task_count; ++i) {
    auto& t = a.tasks[i];
    if (t.state != task_state::blocked || t.deadline_ns == no_deadline) continue;
    if (t.deadline_ns <= s.clock_ns)
      set_enabled(a, task_id(i), wake::timed_out);
    else
      s.next_deadline_ns = std::min(s.next_deadline_ns, t.deadline_ns);
  }
  timers::expire(a, s.next_deadline_ns);
}

// Time passes although others can go on: all deadlines until then have come. Which task's wait that
// was meant for is told, not which others it ended.
void let_time_pass(arena& a) noexcept {
  const auto [task, deadline_ns] = faults::draw_deadline(a);
  if (deadline_ns == no_deadline) return;
  if (task != no_task)
    faults::tell(a, task, fault_kind::timeout, a[task].pending, a[task].pending_resource, 0);
  a.schedule.clock_ns = std::max(a.schedule.clock_ns, deadline_ns);
  expire_deadlines(a);
}

// Before somebody is picked.
void disturb(arena& a) noexcept {
  faults::let_stopped_go_on(a);
  if (faults::possible(a, fault_kind::timeout) && !a.schedule.enabled.empty()) let_time_pass(a);
}

// Whatever a death may let go on tries again.
void wake_retryable(arena& a) noexcept {
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (a.tasks[i].state == task_state::blocked && a.tasks[i].retryable)
      set_enabled(a, task_id(i), wake::retry);
}

bool is_alive(const task& t) noexcept {
  return t.state != task_state::dead && t.state != task_state::unused;
}

void leave_schedule(arena& a, task_id id) noexcept {
  auto& s = a.schedule;
  leave_wait_sets(a, id);
  a[id].state = task_state::dead;
  s.enabled.erase(id);
  --s.living;
  if (s.running == id) s.running = no_task;
}

// A process that died while another one ran (killed from outside, or by that other one).
void bury_the_dead(arena& a) noexcept {
  if (a.controller.unnoticed_deaths.exchange(0) == 0) return;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    auto& t = a.tasks[i];
    if (t.died.load() && !t.process_ended && t.state != task_state::unused)
      death(a, task_id(i), t.wait_status);
  }
}

// Folds what the picked task is about to do into the hash. Resources are numbered by first use, so
// nothing in here depends on addresses or pids.
void fold(schedule_state& s, task_id picked, const task& t) noexcept {
  const auto what = (static_cast<std::uint64_t>(index(picked)) << 48) |
                    (static_cast<std::uint64_t>(t.pending) << 40) |
                    (static_cast<std::uint64_t>(t.pending_resource) & 0xffff'ffff);
  s.hash = strategy::mix(s.hash ^ what) + strategy::golden_ratio;
}

pending_step step_of(const arena& a, task_id id) noexcept {
  const auto& t = a[id];
  pending_step step{.op = t.pending, .resource = t.pending_resource, .process = t.process};
  if (step.resource == no_resource) return step;
  const auto& r = a.resources[step.resource];
  step.kind = r.kind;
  if (r.key.where == resource_key::space::signals && step.op == operation::signal_send)
    step.receiver = task_id(r.key.object);
  return step;
}

bool conflict_of(const void* context, task_id one, task_id other) noexcept {
  const auto& a = *static_cast<const arena*>(context);
  return conflict(step_of(a, one), step_of(a, other));
}

// What the pending operation is about, in numbers that all executions share.
std::uint32_t subject_of(const void* context, task_id task) noexcept {
  const auto& a = *static_cast<const arena*>(context);
  const auto resource = a[task].pending_resource;
  if (resource == no_resource) return 0;
  const auto& r = a.resources[resource];
  return stable_label(r.kind, r.name.data());
}

// How many tasks a random walk would have had to pick from: not one that yields, if there are
// others.
double choices(const schedule_state& s, task_id current, bool yields) noexcept {
  const bool without_current = yields && s.enabled.size() > 1 && s.enabled.contains(current);
  return static_cast<double>(s.enabled.size() - (without_current ? 1 : 0));
}

resource_key key_of_children(const arena& a, task_id parent) noexcept {
  return {resource_key::space::children, index(a[parent].process), 0};
}

strategy::pending_operation pending(const void* context, task_id task) noexcept {
  const auto& a = *static_cast<const arena*>(context);
  const auto& t = a[task];
  const auto resource = t.pending_resource;
  return {.op = t.pending,
          .kind = resource == no_resource ? resource_kind::unknown : a.resources[resource].kind,
          .resource = resource,
          .timed = t.deadline_ns != no_deadline,
          .expired = t.state == task_state::ready && t.cause == wake::timed_out,
          .process = t.process,
          .children = strategy::ends_task(t.pending) ? a.resources.find(key_of_children(a, task))
                                                     : no_resource};
}

bool limits_reached(arena& a) noexcept {
  auto& s = a.schedule;
  if (s.since_progress <= a.config.progress_limit && s.step <= a.config.step_limit) return false;
  end_execution(a, ending::step_limit);
  return true;
}

}  // namespace

namespace {

task_id new_task(arena& a, task_id parent, task_id process, std::string_view name) noexcept {
  auto& s = a.schedule;
  if (s.task_count == task_capacity) {
    end_execution(a, ending::task_limit);
    return no_task;
  }
  const auto id = task_id(s.task_count++);
  auto& t = a[id];
  t.state = task_state::ready;
  t.parent = parent;
  t.process = process == no_task ? id : process;
  t.pending = operation::start;
  t.pending_resource = no_resource;
  auto& d = a.details[index(id)];
  copy_name(d.name, name);
  if (parent != no_task) d.image = a.details[index(a[parent].process)].image;
  s.enabled.insert(id);
  ++s.living;
  return id;
}

}  // namespace

task_id birth(arena& a, task_id parent, std::string_view name) noexcept {
  const auto born = new_task(a, parent == no_task ? no_task : a[parent].process, no_task, name);
  if (born != no_task) signals::inherit(a, parent, born);
  return born;
}

task_id thread_birth(arena& a, task_id creator, std::string_view name) noexcept {
  const auto born = new_task(a, creator, a[creator].process, name);
  if (born != no_task) signals::inherit(a, creator, born);
  return born;
}

void unborn(arena& a, task_id task) noexcept {
  a.schedule.enabled.erase(task);
  a[task].state = task_state::unused;
  a.details[index(task)].thread = {};
  --a.schedule.task_count;
  --a.schedule.living;
}

void death(arena& a, task_id process, int status) noexcept {
  auto& main = a[process];
  if (main.process_ended) return;
  main.process_ended = true;
  main.wait_status = status;
  for (auto i = a.schedule.task_count; i-- > 0;) {
    auto& t = a.tasks[i];
    const auto id = task_id(i);
    if (t.process != process || (!is_alive(t) && id != process)) continue;
    if (is_alive(t)) leave_schedule(a, id);
    t.wait_status = status;
    // The main thread is the oldest and comes last: its end is that of the process.
    const auto of = id == process ? children_of(a, t.parent) : thread_resource(a, id);
    auto* e = append_event(a, id, operation::exit, of, outcome::completed);
    if (e != nullptr) e->result = status;
  }
  ++a.close_count;
  note_progress(a);
  wake_retryable(a);
  timers::forget(a, process);
  signals::child_changed(a, main.parent, process);
  end_orphans(a, process);
}

void thread_death(arena& a, task_id task) noexcept {
  leave_schedule(a, task);
  note_progress(a);
  wake_retryable(a);
}

bool is_last_of_process(const arena& a, task_id task) noexcept {
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto& t = a.tasks[i];
    if (task_id(i) != task && t.process == a[task].process && is_alive(t)) return false;
  }
  return true;
}

task_id only_main_thread(arena& a, task_id task) noexcept {
  const auto main = a[task].process;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (a.tasks[i].process == main && task_id(i) != main && is_alive(a.tasks[i]))
      leave_schedule(a, task_id(i));
  if (!is_alive(a[main])) ++a.schedule.living;  // it had ended, and its process went on
  set_enabled(a, main, wake::retry);
  a.schedule.running = main;
  a.details[index(main)].thread = {};
  wake_retryable(a);
  return main;
}

resource_id children_of(arena& a, task_id parent) noexcept {
  if (parent == no_task) return no_resource;
  return a.resources.find_or_add(key_of_children(a, parent), resource_kind::process);
}

resource_id thread_resource(arena& a, task_id task) noexcept {
  return a.resources.find_or_add({resource_key::space::thread, index(task), 0},
                                 resource_kind::thread);
}

task_id choose(arena& a, task_id current, bool yields) noexcept {
  auto& s = a.schedule;
  if (s.ended.load(std::memory_order_relaxed)) return no_task;
  bury_the_dead(a);
  wake_watchers(a, current);
  s.clock_ns += step_duration_ns;
  if (s.clock_ns >= s.next_deadline_ns) expire_deadlines(a);
  if (s.enabled.empty() || s.step % spinner_look_steps == 0) wake_spinners(a);
  if (s.faults != 0) [[unlikely]]
    disturb(a);
  while (s.enabled.empty()) {
    if (s.faults != 0 && faults::wake_stopped(a)) continue;
    if (s.next_deadline_ns == no_deadline) {
      end_execution(a, s.living == 0        ? ending::finished
                       : s.watchers.empty() ? ending::stuck
                                            : ending::uncontrolled);
      return no_task;
    }
    s.clock_ns = std::max(s.clock_ns, s.next_deadline_ns);
    expire_deadlines(a);
  }
  if (limits_reached(a)) return no_task;
  const strategy::choice asked{s.enabled,         current,          yields,
                               {conflict_of, &a}, {subject_of, &a}, {pending, &a}};
  const auto picked = strategy::pick(a.strategy, asked);
  if (!a.log.add_pick(a.writer(current), picked, strategy::kind_of(asked, picked))) {
    end_execution(a, ending::step_limit);
    return no_task;
  }
  ++s.step;
  ++s.since_progress;
  s.choices_log2 += std::log2(choices(s, current, yields));
  if (picked != current) ++s.switches;
  fold(s, picked, a[picked]);
  s.running = picked;
  return picked;
}

void pass_token(arena& a, task_id me, task_id next) noexcept {
  if (next == me && me != no_task) return;
  if (next == no_task) {
    ring(a.controller);
  } else {
    a[next].token.store(1, std::memory_order_release);
    sys::futex_wake(a[next].token);
  }
  if (me != no_task) wait_for_token(a, me);
}

// The kernel takes a robust futex from a thread that dies, after all others if it is the pending
// one: it marks the word and wakes whoever waits for it (futex(2), "robust futexes"). Here that
// futex is the next task's token.
void pass_token_at_end(arena& a, task_id next) noexcept {
  robust_list_head* list = nullptr;
  std::size_t size = 0;
  const auto got = sys::call(SYS_get_robust_list, 0, sys::address(&list), sys::address(&size));
  if (next == no_task || got < 0 || list == nullptr) return pass_token(a, no_task, next);
  auto& token = a[next].token;
  const auto me = static_cast<std::uint32_t>(sys::call(SYS_gettid));
  token.store(me | FUTEX_WAITERS, std::memory_order_release);
  const auto entry = sys::address(&token) - list->futex_offset;
  list->list_op_pending = reinterpret_cast<robust_list*>(entry);  // NOLINT: not a real entry
}

void wait_for_token(arena& a, task_id me) noexcept {
  auto& token = a[me].token;
  for (;;) {
    const auto now = token.load(std::memory_order_acquire);
    if (now == 1 || (now & FUTEX_OWNER_DIED) != 0) break;
    sys::futex_wait(token, now);
  }
  token.store(0, std::memory_order_relaxed);
  if (a.schedule.stop_due != no_task) signals::carry_out_stop(a);
}

void set_blocked(arena& a, task_id me, std::span<const resource_id> resources,
                 std::uint64_t deadline_ns, bool retryable) noexcept {
  auto& s = a.schedule;
  auto& t = a[me];
  t.state = task_state::blocked;
  t.retryable = retryable;
  t.deadline_ns = deadline_ns;
  auto& d = a.details[index(me)];
  if (resources.size() > d.waits.size()) s.waiting_for_any.insert(me);
  d.wait_count = static_cast<std::uint8_t>(std::min(resources.size(), d.waits.size()));
  std::copy_n(resources.begin(), d.wait_count, d.waits.begin());
  for (std::size_t i = 0; i < d.wait_count; ++i) a.resources[d.waits[i]].waiters.insert(me);
  d.disturbed_at = no_resource;
  s.enabled.erase(me);
  s.next_deadline_ns = std::min(s.next_deadline_ns, deadline_ns);
}

void set_enabled(arena& a, task_id id, wake cause) noexcept {
  auto& t = a[id];
  auto& d = a.details[index(id)];
  if (cause == wake::interrupted && d.wait_count == 1) d.disturbed_at = d.waits[0];
  leave_wait_sets(a, id);
  t.state = task_state::ready;
  t.cause = cause;
  t.deadline_ns = no_deadline;
  if (!t.stopped) a.schedule.enabled.insert(id);
}

void wake_waiters(arena& a, resource_id resource) noexcept {
  if (resource == no_resource) return;
  auto waiters = a.resources[resource].waiters;
  waiters |= a.schedule.waiting_for_any;
  waiters.for_each([&](task_id task) { set_enabled(a, task, wake::retry); });
}

void end_execution(arena& a, ending how) noexcept {
  if (a.schedule.ended.load(std::memory_order_relaxed)) return;
  a.schedule.how = how;
  a.schedule.ended.store(true, std::memory_order_release);
}

event* append_event(arena& a, task_id task, operation op, resource_id resource,
                    outcome how) noexcept {
  auto* e = a.log.add_event(a.writer(task));
  if (e == nullptr) {
    end_execution(a, ending::step_limit);
    return nullptr;
  }
  *e = event{.step = a.schedule.step,
             .clock_ns = a.schedule.clock_ns,
             .resource = resource,
             .task = task,
             .op = op,
             .how = how};
  return e;
}

}  // namespace forkloom::execution

#include "framework/execution/call.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "framework/execution/cancellation.hpp"
#include "framework/execution/faults.hpp"
#include "framework/execution/loaded_modules.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/spin.hpp"
#include "framework/execution/stack.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::execution {
namespace {

// Initial-exec: no call into the dynamic linker, so it is safe in signal handlers and fast.
[[gnu::tls_model("initial-exec")]] thread_local constinit task_id this_task = no_task;
[[gnu::tls_model("initial-exec")]] thread_local constinit bool inside = false;
[[gnu::tls_model("initial-exec")]] thread_local constinit const void* served_site = nullptr;

std::uint64_t number(const void* address) noexcept {
  return reinterpret_cast<std::uint64_t>(address);  // NOLINT: an address kept as a number
}

[[gnu::tls_model("initial-exec")]] thread_local constinit spin_watch spin;

// A store that the task makes on its own after its event was written: the value is not known yet.
struct open_store {
  event* written = nullptr;
  const void* place = nullptr;
  std::size_t size = 0;
};
[[gnu::tls_model("initial-exec")]] thread_local constinit open_store open;

// Completes the event of an open store. Nobody else has run since.
void settle() noexcept {
  if (open.written == nullptr) [[likely]]
    return;
  auto& e = *open.written;
  open.written = nullptr;
  e.after = digest(open.place, open.size);
  spin.reset();
  if (e.before == e.after) return;  // the same value again is no progress
  auto& a = *current_arena();
  note_progress(a);
  wake_waiters(a, e.resource);
}

event* append(operation op, resource_id resource, outcome how, const void* site) noexcept {
  settle();
  auto& a = *current_arena();
  note_new_modules(a, this_task);
  auto* e = append_event(a, this_task, op, resource, how);
  if (e == nullptr) return nullptr;
  e->site = number(served_site != nullptr ? served_site : site);
  if (a.config.record_stacks) {
    const uncontrolled_section not_ours;
    e->stack = record_stack(a);
  }
  return e;
}

// A task that spins stands back until what it looks at changes, or nobody else can go on; after
// many more looks, until the time of somebody else has come.
void stand_back(operation op, resource_id resource, const void* site) noexcept {
  auto& a = *current_arena();
  if (spin.is_news()) {
    a[this_task].blocked_event = a.log.event_count();
    static_cast<void>(append(op, resource, outcome::blocked, site));
  }
  const auto next = a.schedule.next_deadline_ns;
  const bool for_time = spin.waits_for_time() && next != no_deadline;
  set_blocked(a, this_task, spin.places(), for_time ? next : no_deadline, true);
  if (!for_time) a.schedule.spinners.insert(this_task);
}

// Signals that come while the task sleeps are held back, if it may have handlers.
void hand_on_token(arena& a, bool yields) noexcept {
  const auto next = choose(a, this_task, yields);
  if (next == this_task) return;
  if (a[this_task].catches_signals) signals::hold(a, this_task);
  pass_token(a, this_task, next);
}

constexpr auto ends_of_process = only(fault_kind::kill) | only(fault_kind::stop);

bool strikes_task(fault_kind kind, operation op, resource_id resource, const void* site) noexcept {
  auto& a = *current_arena();
  if (!faults::possible(a, kind) || !faults::happens(a, kind)) return false;
  settle();
  faults::tell(a, this_task, kind, op, resource,
               number(served_site != nullptr ? served_site : site));
  return true;
}

// The task has just been picked, to do that next.
void strike_process(operation op, resource_id resource, const void* site) noexcept {
  if (strikes_task(fault_kind::kill, op, resource, site)) faults::die();
  if (strikes_task(fault_kind::stop, op, resource, site)) faults::stop(*current_arena(), this_task);
}

void give_up_token(operation op, resource_id resource, const void* site) noexcept {
  settle();
  auto& a = *current_arena();
  auto& t = a[this_task];
  t.pending = op;
  t.pending_resource = resource;
  t.cause = wake::retry;
  const bool looks = op == operation::load || op == operation::modify || op == operation::yield;
  const bool spins = looks && spin.spins();
  if (spins) stand_back(op, resource, site);
  hand_on_token(a, spins || op == operation::yield);
  if (faults::possible(a, ends_of_process)) [[unlikely]]
    strike_process(op, resource, site);
  if (t.attention || t.held) signals::let_in(a, this_task);
}

// What the frames between here and the user's code would put back is put back before: unwinding
// passes them by.
void heed_if_pending(operation op) noexcept {
  if (!cancellation_pending(this_task)) [[likely]]
    return;
  const auto site = std::exchange(served_site, nullptr);
  const auto selector = std::exchange(trap_selector, trap_on);
  heed_cancellation(op);
  trap_selector = selector;
  served_site = site;
}

// Nobody else could notice what the task does to an object in its own memory, if it is the only
// thread of its process: no scheduling point is needed. An interpreter has thousands of such calls
// for one that others see.
bool is_private(resource_id resource) noexcept {
  const auto& a = *current_arena();
  return resource != no_resource &&
         a.resources[resource].key.where == resource_key::space::private_memory &&
         is_last_of_process(a, this_task);
}

// What has one outcome only is no draw.
std::uint64_t recorded(std::uint64_t value, std::uint64_t bound) noexcept {
  auto& a = *current_arena();
  const numbered_draw drawn{.step = static_cast<std::uint32_t>(a.schedule.step),
                            .value = static_cast<std::uint32_t>(value),
                            .bound = static_cast<std::uint32_t>(bound)};
  if (bound > 1 && !a.log.add_draw(a.writer(this_task), drawn))
    end_execution(a, ending::step_limit);
  return value;
}

}  // namespace

std::uint64_t digest(const void* bytes, std::size_t size) noexcept {
  std::uint64_t number = 0;
  if (size <= sizeof number) {
    std::memcpy(&number, bytes, size);
    return number;
  }
  for (const auto* p = static_cast<const unsigned char*>(bytes); size > 0; --size, ++p)
    number = strategy::mix(number ^ *p);
  return number;
}

task_id self() noexcept { return this_task; }
void settle_store() noexcept { settle(); }
bool controlled() noexcept { return this_task != no_task && !inside; }

void become(task_id task) noexcept {
  this_task = task;
  reconsider_places();
  const bool traps = task != no_task && arm_trap();
  trap_in_program = trap_selector = traps ? trap_on : trap_off;
  if (task != no_task && !traps) note_uncontrolled("system calls made inside libc");
}

called_from::called_from(const void* site) noexcept : before_(served_site) { served_site = site; }
called_from::~called_from() { served_site = before_; }

uncontrolled_section::uncontrolled_section() noexcept : before_(inside) { inside = true; }
uncontrolled_section::~uncontrolled_section() { inside = before_; }

controlled_call::controlled_call(operation op, resource_id resource, const void* site) noexcept
    : controlled_call(no_point{}, op, resource, site) {
  if (!is_private(resource)) give_up_token(op, resource, site);
  heed_if_pending(op);
}

controlled_call::controlled_call(no_point, operation op, resource_id resource,
                                 const void* site) noexcept
    : op_(op), resource_(resource), site_(site) {}

controlled_call controlled_call::silent(operation op, resource_id resource,
                                        const void* site) noexcept {
  return {no_point{}, op, resource, site};
}

wake controlled_call::block(std::uint64_t deadline_ns) noexcept {
  return block_on({&resource_, 1}, deadline_ns);
}

wake controlled_call::block_on(std::span<const resource_id> resources, std::uint64_t deadline_ns,
                               bool retryable) noexcept {
  return wait(resources, deadline_ns, retryable, false);
}

wake controlled_call::watch(std::span<const resource_id> resources,
                            std::uint64_t deadline_ns) noexcept {
  if (deadline_ns > now_ns()) note_uncontrolled(name(op_).data(), site_);
  return wait(resources, deadline_ns, true, true);
}

wake controlled_call::meet_signals() noexcept {
  return signals::let_in_before_wait(*current_arena(), this_task);
}

void controlled_call::mask_signals(signal_set mask) noexcept {
  signals::mask_until_end(*current_arena(), this_task, mask);
}

wake controlled_call::wait(std::span<const resource_id> resources, std::uint64_t deadline_ns,
                           bool retryable, bool watches) noexcept {
  auto& a = *current_arena();
  if (const auto met = signals::let_in_before_wait(a, this_task); met != wake::retry) return met;
  if (!keeps_deadline_) deadline_ns = resources.empty() ? deadline_ns : time_limit(deadline_ns);
  if (deadline_ns <= a.schedule.clock_ns) return wake::timed_out;
  has_waited_ = true;
  auto& t = a[this_task];
  // A call may wait for something else than what it is about: a condition wait, for the mutex.
  const auto awaited = resources.empty() ? resource_ : resources.front();
  t.pending = op_;
  t.pending_resource = awaited;
  t.blocked_event = a.log.event_count();
  if (auto* e = append(op_, awaited, outcome::blocked, site_); e != nullptr) {
    e->second = awaited == resource_ ? second_ : resource_;
    e->before = before_;
    e->after = after_;
  }
  set_blocked(a, this_task, resources, deadline_ns, retryable);
  if (watches) a.schedule.watchers.insert(this_task);
  const auto by_fault =
      a.schedule.faults != 0 ? draw_end_of_wait(awaited, resources.size()) : std::nullopt;
  hand_on_token(a, false);
  if (by_fault) return *by_fault;
  const auto cause = t.cause == wake::timed_out ? wake::timed_out : wake::retry;
  // A condition wait must first have its mutex again; see condition.cpp.
  if (op_ != operation::cond_wait) heed_if_pending(op_);
  return cause;
}

// A wait that lasts may be ended by a fault, or the process with it, at any time; when it comes to
// that is up to the strategy, as the task is enabled from here on.
std::optional<wake> controlled_call::draw_end_of_wait(resource_id awaited,
                                                      std::size_t count) noexcept {
  auto& a = *current_arena();
  if (strikes(fault_kind::kill)) faults::die();
  const bool interrupts =
      interruptible_ && contains(faults_of(op_), fault_kind::eintr) && strikes(fault_kind::eintr);
  // A condition wait that has been woken waits for its mutex. A futex that passes priority on wakes
  // nobody but its owner.
  const bool wakes =
      (op_ == operation::cond_wait && awaited == resource_) ||
      (op_ == operation::futex_wait && a.details[index(this_task)].awaited_part != 0 && count == 1);
  woken_for_nothing_ = !interrupts && wakes && strikes(fault_kind::wakeup);
  if (!interrupts && !woken_for_nothing_) return std::nullopt;
  set_enabled(a, this_task, wake::retry);
  return interrupts ? wake::interrupted : wake::retry;
}

bool controlled_call::strikes(fault_kind kind) noexcept {
  return strikes_task(kind, op_, resource_, site_);
}

int controlled_call::draw_refusal(fault_set but_not) noexcept {
  constexpr std::array kinds{fault_kind::eagain, fault_kind::enospc, fault_kind::emfile,
                             fault_kind::enomem};
  const auto may = faults_of(op_) & ~but_not;
  for (const auto kind : kinds)
    if (contains(may, kind) && strikes(kind)) return error_of(kind);
  return 0;
}

// Half of it, one byte, or all but one.
std::size_t controlled_call::draw_part(std::size_t size) noexcept {
  if (!strikes(fault_kind::partial)) return size;
  const std::array parts{size / 2, std::size_t{1}, size - 1};
  return parts[draw(parts.size())];
}

// A deadline that had come before the call waited at all is none: the call is a try.
std::uint64_t controlled_call::time_limit(std::uint64_t deadline_ns) noexcept {
  auto& a = *current_arena();
  const bool ignored = a.config.timeouts == timeout_policy::never && deadline_ns != no_deadline &&
                       (has_waited_ || deadline_ns > a.schedule.clock_ns);
  a.details[index(this_task)].timeout_ignored = ignored;
  return ignored ? no_deadline : deadline_ns;
}

void controlled_call::finish(std::int64_t result, int error, std::uint64_t before,
                             std::uint64_t after, effect has) noexcept {
  auto& a = *current_arena();
  record(result, error, before, after, has);
  if (const auto& t = a[this_task]; t.held || t.attention) signals::let_in(a, this_task);
}

void controlled_call::record(std::int64_t result, int error, std::uint64_t before,
                             std::uint64_t after, effect has) noexcept {
  auto& a = *current_arena();
  if (auto* e = append(op_, resource_, outcome::completed, site_); e != nullptr) {
    e->result = result;
    e->error = error;
    e->before = before;
    e->after = after;
    e->second = second_;
  }
  const bool is_access = op_ == operation::store || op_ == operation::modify;
  const bool same = is_access && before == after;
  spin.completed(op_, resource_, before, is_access && !same);
  if (error != 0 || has == effect::none || !traits(op_).changes) return;
  if (same) return;  // the same value again is no progress
  note_progress(a);
  if (has == effect::wakes) wake_waiters(a, resource_);
}

void controlled_call::completes_by_itself(std::int64_t result, const void* place,
                                          std::size_t size) noexcept {
  auto* e = append(op_, resource_, outcome::completed, site_);
  if (e == nullptr) return;
  e->result = result;
  e->before = e->after = digest(place, size);
  open = {e, place, size};
}

int controlled_call::failed(int error) noexcept {
  finish(-1, error, before_, after_, effect::none);
  errno = error;
  return -1;
}

int controlled_call::failed_with(int error) noexcept {
  finish(error, error, before_, after_, effect::none);
  return error;
}

void controlled_call::yield_again() noexcept { give_up_token(op_, resource_, site_); }

bool refused(operation op, const void* site, fault_set but_not) noexcept {
  if (!controlled() || current_arena()->schedule.faults == 0) return false;
  auto call = controlled_call::silent(op, no_resource, site);
  const auto error = call.refusal(but_not);
  if (error != 0) static_cast<void>(call.failed(error));
  return error != 0;
}

void set_owner(resource_id resource, task_id owner) noexcept {
  current_arena()->resources[resource].owner = owner;
}

void changed(resource_id resource) noexcept { wake_waiters(*current_arena(), resource); }

void note_uncontrolled(const char* call, const void* site) noexcept {
  auto& a = *current_arena();
  const auto place = number(served_site != nullptr ? served_site : site);
  note_new_modules(a, this_task);
  const auto known = a.uncontrolled.begin() + a.uncontrolled_count;
  const auto same = [&](const uncontrolled_call& other) {
    return other.site == place && std::strcmp(other.name.data(), call) == 0;
  };
  if (known == a.uncontrolled.end() || std::any_of(a.uncontrolled.begin(), known, same)) return;
  auto& fresh = a.uncontrolled[a.uncontrolled_count++];
  const auto length = std::min(std::strlen(call), fresh.name.size() - 1);
  std::copy_n(call, length, fresh.name.begin());
  fresh.name[length] = '\0';
  fresh.task = self();
  fresh.event = a.log.event_count();
  fresh.site = place;
  const uncontrolled_section not_ours;
  walk_stack(fresh.stack);
}

std::uint64_t draw(std::uint64_t bound) noexcept {
  return recorded(strategy::draw(current_arena()->strategy, bound), bound);
}

bool chance(std::uint64_t one_in) noexcept {
  return one_in != 0 && recorded(strategy::chance(current_arena()->strategy, one_in), 2) != 0;
}

std::uint64_t now_ns() noexcept { return current_arena()->schedule.clock_ns; }

}  // namespace forkloom::execution

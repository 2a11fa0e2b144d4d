#include "framework/execution/timers.hpp"

#include <signal.h>

#include <algorithm>
#include <limits>

#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::execution::timers {
namespace {

template <class Visit>
void for_each(arena& a, Visit visit) noexcept {
  for (std::uint32_t i = 0; i < a.schedule.timer_count; ++i)
    if (a.timers[i].is != timer::sort::unused) visit(a.timers[i]);
}

// How many intervals have gone by since it expired.
std::uint64_t missed(const arena& a, const timer& t) noexcept {
  return t.interval_ns == 0 ? 0 : (a.schedule.clock_ns - t.expired_ns) / t.interval_ns;
}

std::uint32_t overrun_of(const arena& a, const timer& t) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<int>::max();
  return static_cast<std::uint32_t>(std::min(missed(a, t), most));
}

void queue(const arena& a, const timer& t) noexcept {
  siginfo_t info{};
  info.si_signo = t.signal;
  const auto pid = sys::call(SYS_getpid);
  if (t.is == timer::sort::real_interval) {
    info.si_code = SI_KERNEL;
  } else {
    info.si_code = SI_TIMER;
    info.si_timerid = t.id;
    info.si_overrun = static_cast<int>(overrun_of(a, t));
    info.si_value.sival_ptr = reinterpret_cast<void*>(t.value);  // NOLINT: a word of the program's
  }
  if (t.thread == no_task)
    sys::call(SYS_rt_sigqueueinfo, pid, t.signal, sys::address(&info));
  else
    sys::call(SYS_rt_tgsigqueueinfo, pid, a[t.thread].tid.load(), t.signal, sys::address(&info));
}

void begin_anew(arena& a, timer& t) noexcept {
  t.overrun = overrun_of(a, t);
  t.due = t.queued = false;
  if (t.interval_ns == 0) return;
  t.deadline_ns = t.expired_ns + (missed(a, t) + 1) * t.interval_ns;
  a.schedule.next_deadline_ns = std::min(a.schedule.next_deadline_ns, t.deadline_ns);
}

void expire_one(arena& a, timer& t) noexcept {
  t.expired_ns = t.deadline_ns;
  t.deadline_ns = no_deadline;
  const bool blocked = signals::contains(a[t.process].mask, t.signal);
  if (!t.silent && (blocked || !signals::vanishes(a, t.process, t.signal))) {
    t.due = true;
    signals::arrived(a, t.process, t.thread, t.signal);
  }
}

}  // namespace

timer* make(arena& a, timer::sort sort, task_id process) noexcept {
  auto* end = a.timers.data() + a.schedule.timer_count;
  auto* slot = std::find_if(a.timers.data(), end,
                            [](const timer& t) { return t.is == timer::sort::unused; });
  if (slot == end) {
    if (a.schedule.timer_count == timer_capacity) return nullptr;
    ++a.schedule.timer_count;
  }
  *slot = timer{.is = sort, .process = process};
  return slot;
}

timer* find(arena& a, timer::sort sort, task_id process, int id) noexcept {
  timer* found = nullptr;
  for_each(a, [&](timer& t) {
    if (t.is == sort && t.process == process && t.id == id) found = &t;
  });
  return found;
}

void set(arena& a, timer& which, std::uint64_t deadline_ns, std::uint64_t interval_ns) noexcept {
  if (which.due && !which.queued) queue(a, which);
  which.due = which.queued = false;
  which.overrun = 0;
  which.deadline_ns = deadline_ns;
  which.interval_ns = interval_ns;
  a.schedule.next_deadline_ns = std::min(a.schedule.next_deadline_ns, deadline_ns);
}

// A timer without a signal, or whose signal nobody wants, need not wake anybody: its next time is
// reckoned from its last.
std::uint64_t remaining_ns(const arena& a, const timer& which) noexcept {
  const auto now = a.schedule.clock_ns;
  if (which.deadline_ns != no_deadline)
    return which.deadline_ns > now ? which.deadline_ns - now : 1;
  if (which.expired_ns == 0 || which.interval_ns == 0) return 0;
  return which.interval_ns - (now - which.expired_ns) % which.interval_ns;
}

void expire(arena& a, std::uint64_t& next) noexcept {
  for_each(a, [&](timer& t) {
    if (t.deadline_ns == no_deadline) return;
    if (t.deadline_ns <= a.schedule.clock_ns)
      expire_one(a, t);
    else
      next = std::min(next, t.deadline_ns);
  });
}

void queue_signals(arena& a, task_id process) noexcept {
  for_each(a, [&](timer& t) {
    if (t.process != process || !t.due || t.queued) return;
    queue(a, t);
    t.queued = true;
  });
}

void accepted(arena& a, task_id process, int signal) noexcept {
  for_each(a, [&](timer& t) {
    if (t.process == process && t.signal == signal && t.queued) begin_anew(a, t);
  });
}

void action_changed(arena& a, task_id process, int signal) noexcept {
  for_each(a, [&](timer& t) {
    const bool rests = t.deadline_ns == no_deadline && t.expired_ns != 0 && !t.due;
    if (t.process == process && t.signal == signal && rests && t.interval_ns != 0) begin_anew(a, t);
  });
}

void forget(arena& a, task_id process) noexcept {
  for_each(a, [&](timer& t) {
    if (t.process == process) t = {};
  });
}

void forget_posix(arena& a, task_id process) noexcept {
  for_each(a, [&](timer& t) {
    if (t.process == process && t.is == timer::sort::posix) t = {};
  });
}

}  // namespace forkloom::execution::timers

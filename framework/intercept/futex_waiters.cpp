// The model is task_details::awaited_part: the bits that a waiter waits for, and once a waker has
// chosen it, at which of its futexes. Whom a wake chooses, the strategy draws: Linux takes the one
// that has waited longest, and the manual page promises nothing. Async-signal-safe: nothing is
// allocated, no lock is taken.
#include "framework/intercept/futex_waiters.hpp"

#include <linux/futex.h>

#include <algorithm>
#include <cerrno>

#include "framework/execution/scheduler.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/user_memory.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept::futexes {
namespace {

namespace sys = execution::sys;
using execution::controlled_call;
using execution::task_set;
using execution::wake;

constexpr std::uint64_t chosen = std::uint64_t{1} << 40;  // above the bits, and the futex's number

std::uint64_t& awaited(task_id task) noexcept {
  return execution::current_arena()->details[index(task)].awaited_part;
}

// Takes up to that many out of the set, and does that to each. How many there were.
template <class Visit>
long draw_some(task_set from, std::uint64_t most, Visit visit) noexcept {
  long count = 0;
  for (; most > 0 && !from.empty(); --most, ++count) {
    // Where all are meant there is nothing to choose.
    const auto task = from.nth(most < from.size() ? execution::draw(from.size()) : 0);
    from.erase(task);
    visit(task);
  }
  return count;
}

}  // namespace

// The kernel compares before it would move waiters, of which it shall move none.
int compare(long address, std::uint32_t value, bool is_private) noexcept {
  const auto operation = FUTEX_CMP_REQUEUE | (is_private ? FUTEX_PRIVATE_FLAG : 0);
  return static_cast<int>(
      -sys::call(SYS_futex, address, operation, 0, 0, address, static_cast<long>(value)));
}

std::uint32_t load(long address) noexcept {
  std::uint32_t word = 0;
  static_cast<void>(copy_from_user(&word, address, sizeof word));
  return word;
}

time_limit limit_at(long pointer, counted how) noexcept {
  if (pointer == 0) return {};
  timespec when{};
  if (!copy_from_user(&when, pointer, sizeof when)) return {.error = EFAULT};
  if (!valid(when) || when.tv_sec < 0) return {.error = EINVAL};
  if (how == counted::from_now) return {.deadline = deadline_after(when)};
  const auto clock = how == counted::by_real_clock ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  return {.deadline = deadline_at(clock, when)};
}

long wait_until_chosen(controlled_call& call, std::span<const resource_id> places,
                       std::uint32_t bits, std::uint64_t deadline, deaths whether) noexcept {
  auto& mine = awaited(execution::self());
  mine = bits;
  auto cause = call.block_on(places, deadline, whether == deaths::end_it);
  if (cause == wake::retry && (mine & chosen) == 0) cause = call.meet_signals();
  const auto choice = mine;
  mine = 0;
  if (call.woken_for_nothing()) return 0;
  if ((choice & chosen) != 0) return static_cast<long>(choice & ~chosen);
  if (cause == wake::timed_out) return -ETIMEDOUT;
  if (cause == wake::interrupted) return -EINTR;
  return cause == wake::restarted ? restarted : somebody_died;
}

long wake_some(resource_id place, std::uint64_t most, std::uint32_t bits) noexcept {
  auto& a = *execution::current_arena();
  task_set candidates;
  a.resources[place].waiters.for_each([&](task_id task) {
    if ((awaited(task) & bits) != 0) candidates.insert(task);
  });
  return draw_some(candidates, most, [&](task_id task) {
    const auto& waits = a.details[index(task)].waits;
    const auto which = std::find(waits.begin(), waits.end(), place) - waits.begin();
    awaited(task) = chosen | static_cast<std::uint64_t>(which);
    execution::set_enabled(a, task, wake::retry);
  });
}

long move_some(resource_id from, resource_id to, std::uint64_t most) noexcept {
  auto& a = *execution::current_arena();
  return draw_some(a.resources[from].waiters, most, [&](task_id task) {
    auto& d = a.details[index(task)];
    std::replace(d.waits.begin(), d.waits.begin() + d.wait_count, from, to);
    a.resources[from].waiters.erase(task);
    a.resources[to].waiters.insert(task);
    a[task].pending_resource = to;
  });
}

long told(controlled_call& call, long result) noexcept {
  if (result < 0) return -call.failed_with(static_cast<int>(-result));
  return call.completed_without_waking(result);
}

}  // namespace forkloom::intercept::futexes

#include "framework/intercept/awaited.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "framework/execution/event_source.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/timers.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/timerfd.hpp"

namespace forkloom::intercept {
namespace {

using execution::event_source;

// Epolls that watch epolls: the kernel allows five in a row.
constexpr unsigned deepest_nest = 5;

// no_resource in a process that is no task, where an execution is prepared.
resource_id own_signals() noexcept {
  const auto me = execution::self();
  if (me == no_task) return no_resource;
  return execution::signals::resource_of(*execution::current_arena(), me, 0);
}

}  // namespace

void awaited::add(int fd, wanted what) noexcept {
  struct stat status {};
  if (fd < 0 || execution::sys::call(SYS_fstat, fd, execution::sys::address(&status)) < 0) return;
  if ((status.st_mode & S_IFMT) == 0) return add_source(fd, what);
  const auto [channel, is_outside] = readiness_of(fd);
  outside_ |= is_outside;
  if (channel != no_resource) add_channel(channel, what);
}

void awaited::add_channel(resource_id id, wanted what) noexcept {
  if (count_ == channels_.size()) return;
  directions_ |= (std::uint64_t{what.reads} | std::uint64_t{what.writes} << 1) << (2 * count_);
  channels_[count_++] = id;
}

void awaited::add_source(int fd, wanted what) noexcept {
  const auto sort = execution::sort_of(fd);
  if (sort == event_source::pidfd) return add_process(fd);
  if (sort == event_source::signalfd) return add_signals(own_signals());
  const auto id = execution::event_source_of(fd);
  if (id == no_resource) {
    outside_ = true;
    return;
  }
  if (sort == event_source::timerfd) return add_timer(id, fd);
  if (sort == event_source::epoll) add_interests(id, 0);
  add_channel(id, what);
}

// Through a timer that this process has no descriptor for, it can be heard only by trying.
void awaited::add_timer(resource_id timer, int fd) noexcept {
  if (fd < 0) {
    outside_ = true;
    return;
  }
  bring_up_to_date(timer, fd);
  timer_ = std::min(timer_, next_expiry(timer));
  add_channel(timer, {.reads = true, .writes = false});
}

// A pidfd is readable when its process has died, and every death lets those who wait try again.
void awaited::add_process(int fd) noexcept {
  auto& a = *execution::current_arena();
  const auto pid = execution::process_behind(fd);
  for (auto i = a.schedule.task_count; i-- > 0;)
    if (a.tasks[i].pid.load(std::memory_order_relaxed) == pid)
      return add_channel(execution::children_of(a, a.tasks[i].parent), {});
  outside_ = true;
}

// The kernel shows a process its own signals. An epoll hears of those of the process that added the
// descriptor to it.
void awaited::add_signals(resource_id signals) noexcept {
  auto& a = *execution::current_arena();
  if (signals == no_resource) {
    outside_ = true;
    return;
  }
  if (signals == own_signals())
    execution::timers::queue_signals(a, execution::signals::process_of(a, execution::self()));
  add_channel(signals, {.reads = true, .writes = false});
}

void awaited::add_interests(resource_id epoll, unsigned depth) noexcept {
  auto& a = *execution::current_arena();
  for (std::uint32_t i = 0; i < a.interest_count; ++i)
    if (a.interests[i].epoll == epoll) add_target(a.interests[i], depth);
}

void awaited::add_target(const execution::epoll_interest& interest, unsigned depth) noexcept {
  const auto target = interest.target;
  if (target == no_resource) {
    outside_ = true;
    return;
  }
  const auto& resource = execution::current_arena()->resources[target];
  if (resource.kind == resource_kind::signal) return add_signals(target);
  switch (execution::sort_of(resource)) {
    case event_source::timerfd:
      return add_timer(target, execution::event_source_of(interest.descriptor) == target
                                   ? interest.descriptor
                                   : execution::descriptor_of(target));
    case event_source::epoll:
      if (depth < deepest_nest) add_interests(target, depth + 1);
      return add_channel(target, {.reads = true, .writes = false});
    default:
      // The same descriptor may tell more of it, if this process still has it.
      if (readiness_of(interest.descriptor).resource == target)
        return add(interest.descriptor, wanted_by_poll(interest.events));
      return add_channel(target, wanted_by_poll(interest.events));
  }
}

execution::wake awaited::wait(execution::controlled_call& call,
                              std::uint64_t deadline) const noexcept {
  auto& part = execution::current_arena()->details[index(execution::self())].awaited_part;
  part = directions_;
  const std::span<const resource_id> all{channels_.data(), count_};
  // With nothing to wait for it is a sleep.
  const bool sleeps = count_ == 0 && !outside_;
  const auto until = std::min(sleeps ? deadline : call.time_limit(deadline), timer_);
  call.until_timer();
  const auto cause = outside_ ? call.watch(all, until) : call.block_on(all, until);
  part = 0;
  return cause;
}

}  // namespace forkloom::intercept

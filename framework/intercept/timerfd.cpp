// Timers behind descriptors: timerfd.
//
// Resource: the timer, whatever descriptors it is reached by (execution/event_source.hpp). Its
// model holds when it expires next (0: it is not set), the interval, and the expirations not yet
// read with one bit more (below). Blocks: a read, until the timer has expired; never a deadlock
// while it is set. Releases: timerfd_settime. Time itself is the deadline of whoever waits. Events:
// a read has the expirations in after.
//
// The kernel's timer never runs on real time. When somebody looks at the descriptor and its virtual
// time has come, the timer is set to one nanosecond: then the real poll, select, epoll and read
// find it ready as ever.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include "framework/intercept/timerfd.hpp"

#include <sys/timerfd.h>

#include <cerrno>
#include <cstring>

#include "framework/execution/event_source.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/eventfd.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/readable.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::now_ns;

constinit next<decltype(::timerfd_create)> real_create{"timerfd_create"};
constinit next<decltype(::timerfd_settime)> real_settime{"timerfd_settime"};
constinit next<decltype(::timerfd_gettime)> real_gettime{"timerfd_gettime"};

struct timer {
  std::uint64_t& expiry;
  std::uint64_t& interval;
  std::uint64_t& unread;

  explicit timer(resource_id id) noexcept : timer(execution::current_arena()->resources[id]) {}
  explicit timer(execution::resource& r) noexcept
      : expiry(r.model[0]), interval(r.model[1]), unread(r.model[2]) {}

  // The kernel's timer stands still from an expiration until it is read, so an edge is told once,
  // however often it would have expired meanwhile. Who asks for the time that is left makes one
  // with an interval go on, and so lets it tell another edge.
  static constexpr std::uint64_t goes_on_bit = std::uint64_t{1} << 63;

  [[nodiscard]] std::uint64_t ticks() const noexcept { return unread & ~goes_on_bit; }
  [[nodiscard]] bool stands_still() const noexcept {
    return ticks() != 0 && (unread & goes_on_bit) == 0;
  }
  void go_on() const noexcept {
    if (ticks() != 0 && interval != 0) unread |= goes_on_bit;
  }

  // Whether it has expired, and that is an edge.
  bool count() const noexcept {
    const auto now = now_ns();
    if (expiry == 0 || now < expiry) return false;
    const auto times = interval == 0 ? 1 : 1 + (now - expiry) / interval;
    const bool is_edge = !stands_still();
    unread = ticks() + times;
    expiry = interval == 0 ? 0 : expiry + times * interval;
    return is_edge;
  }

  [[nodiscard]] itimerspec remaining() const noexcept {
    const auto now = now_ns();
    const auto left = expiry > now ? expiry - now : 0;
    return {.it_interval = as_timespec(interval), .it_value = as_timespec(left)};
  }

  static timespec as_timespec(std::uint64_t ns) noexcept {
    return {.tv_sec = static_cast<time_t>(ns / ns_per_s),
            .tv_nsec = static_cast<long>(ns % ns_per_s)};
  }
};

bool is_none(const timespec& t) noexcept { return t.tv_sec == 0 && t.tv_nsec == 0; }
bool possible(const timespec& t) noexcept { return t.tv_sec >= 0 && valid(t); }

// What the kernel's timer is set to: its interval tells which timer it is, and never comes to pass.
itimerspec kernels_own(resource_id id, long ns) noexcept {
  return {.it_interval = {.tv_sec = execution::timer_mark(id), .tv_nsec = 0},
          .it_value = {.tv_sec = 0, .tv_nsec = ns}};
}

// How long from the clock's beginning, whatever clock that is.
std::uint64_t duration(const timespec& t) noexcept { return deadline_at(CLOCK_MONOTONIC, t); }

void set(resource_id id, int flags, const itimerspec& wanted) noexcept {
  const timer t(id);
  t.unread = 0;
  t.interval = is_none(wanted.it_value) ? 0 : duration(wanted.it_interval);
  t.expiry = 0;
  if (is_none(wanted.it_value)) return;
  auto clock = execution::clock_of(execution::current_arena()->resources[id]);
  if (clock == CLOCK_REALTIME_ALARM) clock = CLOCK_REALTIME;
  const auto when = (flags & TFD_TIMER_ABSTIME) != 0 ? deadline_at(clock, wanted.it_value)
                                                     : deadline_after(wanted.it_value);
  t.expiry = when == 0 ? 1 : when;
}

// The kernel judges the descriptor and the flags, and its timer is disarmed.
int set_timer(int fd, int flags, const itimerspec* wanted, itimerspec* old,
              resource_id id) noexcept {
  const auto asked = *wanted;  // `old` may be the same place
  timer(id).count();
  const auto before = timer(id).remaining();
  const auto never = kernels_own(id, 0);
  if (real_settime(fd, flags, &never, old) != 0) return -1;
  if (old != nullptr) *old = before;
  set(id, flags, asked);
  return 0;
}

int get_timer(int fd, itimerspec* now, resource_id id) noexcept {
  if (real_gettime(fd, now) != 0) return -1;
  bring_up_to_date(id, fd);
  *now = timer(id).remaining();
  timer(id).go_on();
  return 0;
}

resource_id timer_behind(int fd) noexcept {
  return execution::sort_of(fd) == execution::event_source::timerfd ? execution::event_source_of(fd)
                                                                    : no_resource;
}

}  // namespace

void bring_up_to_date(resource_id id, int fd) noexcept {
  if (fd < 0 || !timer(id).count()) return;
  const auto at_once = kernels_own(id, 1);
  if (sys::call(SYS_timerfd_settime, fd, 0, sys::address(&at_once), 0) < 0) return;
  pollfd expired{fd, POLLIN, 0};
  while (sys::call(SYS_poll, sys::address(&expired), 1, -1) == -EINTR) continue;
}

std::uint64_t next_expiry(resource_id id) noexcept {
  const timer t(id);
  return t.expiry == 0 || t.stands_still() ? no_deadline : t.expiry;
}

// The kernel counts one expiration, and says whether the buffer is any good.
ssize_t read_timerfd(int fd, const iovec* parts, int count, const void* site) noexcept {
  const auto id = resource_of(fd);
  controlled_call call{operation::read, id, site};
  for (;;) {
    bring_up_to_date(id, fd);
    const auto flags = status_flags(fd);
    const auto attempt = [&] { return sys::call(SYS_readv, fd, sys::address(parts), count); };
    const bool at_once = flags < 0 || (flags & O_NONBLOCK) != 0;
    const auto got = at_once ? attempt() : without_blocking(fd, flags, attempt);
    if (got > 0) {
      const auto ticks = timer(id).ticks();
      timer(id).unread = 0;
      if (parts->iov_len >= sizeof ticks) std::memcpy(parts->iov_base, &ticks, sizeof ticks);
      return call.completed(got, 0, ticks);
    }
    if (got == -EFAULT) timer(id).unread = 0;
    if (got != -EAGAIN || at_once) return call.failed(static_cast<int>(-got));
    if (call.block(next_expiry(id)) == execution::wake::interrupted) return call.failed(EINTR);
  }
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int timerfd_create(clockid_t clock, int flags) noexcept {
  if (execution::refused(operation::timerfd, __builtin_return_address(0))) return -1;
  const auto fd = real_create(clock, flags);
  const auto error = errno;
  if (execution::current_arena() == nullptr) return fd;
  auto source = no_resource;
  if (fd >= 0) {
    source = execution::new_event_source(execution::event_source::timerfd, fd);
    execution::set_clock(execution::current_arena()->resources[source], clock);
    const auto marked = kernels_own(source, 0);
    sys::call(SYS_timerfd_settime, fd, 0, sys::address(&marked), 0);
  }
  if (!controlled()) return fd;
  auto call = controlled_call::silent(operation::timerfd, source, __builtin_return_address(0));
  return ended(call, fd, error);
}

int timerfd_gettime(int fd, itimerspec* now) noexcept {
  const auto id = execution::current_arena() == nullptr ? no_resource : timer_behind(fd);
  if (id == no_resource) return real_gettime(fd, now);
  if (!controlled()) return get_timer(fd, now, id);
  controlled_call call{operation::clock_read, id, __builtin_return_address(0)};
  if (get_timer(fd, now, id) != 0) return call.failed(errno);
  return call.completed(0);
}

int timerfd_settime(int fd, int flags, const itimerspec* wanted, itimerspec* old) noexcept {
  const auto id = execution::current_arena() == nullptr ? no_resource : timer_behind(fd);
  if (id == no_resource || !readable(wanted, sizeof *wanted) || !possible(wanted->it_value) ||
      !possible(wanted->it_interval))
    return real_settime(fd, flags, wanted, old);
  if (!controlled()) return set_timer(fd, flags, wanted, old, id);
  controlled_call call{operation::timer_set, id, __builtin_return_address(0)};
  if (set_timer(fd, flags, wanted, old, id) != 0) return call.failed(errno);
  return call.completed(0);
}

}  // extern "C"

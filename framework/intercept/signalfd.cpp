// Signals behind descriptors: signalfd.
//
// Resource: the signals of the process that looks, whoever made the descriptor: the kernel shows
// each process its own. The descriptor itself is the second one (execution/event_source.hpp).
// Blocks: a read, while none of the descriptor's signals is pending. A handler interrupts it.
// Releases: whoever sends a signal, a child's death, a timer; another mask for the descriptor.
// Events: a read is one for each signal that it takes.
//
// What is pending is the kernel's word, so the real read, poll, select and epoll answer. Signals of
// timers that are due are made pending first. The attempt is made with O_NONBLOCK set for its
// duration, as for pipes.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include "framework/intercept/signalfd.hpp"

#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/execution/event_source.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/timers.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

namespace signals = execution::signals;
namespace sys = execution::sys;
namespace timers = execution::timers;
using execution::arena;
using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::signalfd)> real_signalfd{"signalfd"};

arena& this_arena() noexcept { return *execution::current_arena(); }

resource_id own_signals(int signal = 0) noexcept {
  return signals::resource_of(this_arena(), execution::self(), signal);
}

// The number at that place of the bytes that were read; 0 if it is not there in one piece.
std::uint32_t number_at(const iovec* parts, int count, std::size_t place) noexcept {
  std::uint32_t number = 0;
  for (int i = 0; i < count; ++i) {
    const auto size = parts[i].iov_len;
    if (place >= size) {
      place -= size;
      continue;
    }
    if (size - place >= sizeof number)
      std::memcpy(&number, static_cast<const char*>(parts[i].iov_base) + place, sizeof number);
    break;
  }
  return number;
}

// The signals that were read, each with an event.
ssize_t taken(controlled_call& call, const iovec* parts, int count, ssize_t size,
              const void* site) noexcept {
  constexpr auto one = sizeof(signalfd_siginfo);
  const auto process = signals::process_of(this_arena(), execution::self());
  const auto take = [&](std::size_t place) {
    const auto signal =
        static_cast<int>(number_at(parts, count, place + offsetof(signalfd_siginfo, ssi_signo)));
    timers::accepted(this_arena(), process, signal);
    return own_signals(signal);
  };
  call.concern(take(0));
  for (auto place = one; place + one <= static_cast<std::size_t>(size); place += one)
    controlled_call::silent(operation::read, take(place), site).completed_without_waking(one);
  return call.completed_without_waking(size);
}

}  // namespace

ssize_t read_signalfd(int fd, const iovec* parts, int count, const void* site) noexcept {
  controlled_call call{operation::read, own_signals(), site};
  call.involve(resource_of(fd));
  const auto signals = call.resource();
  for (;;) {
    timers::queue_signals(this_arena(), signals::process_of(this_arena(), execution::self()));
    const auto flags = status_flags(fd);
    const auto attempt = [&] { return sys::call(SYS_readv, fd, sys::address(parts), count); };
    const bool at_once = flags < 0 || (flags & O_NONBLOCK) != 0;
    const auto got = at_once ? attempt() : without_blocking(fd, flags, attempt);
    if (got > 0) return taken(call, parts, count, got, site);
    if (got == 0) return call.completed_unchanged(got);
    if (got != -EAGAIN || at_once) return call.failed(static_cast<int>(-got));
    // No death but that of a child lets it go on, and of that comes a signal.
    const auto cause = call.block_on({&signals, 1}, execution::no_deadline, false);
    if (cause == execution::wake::interrupted) return call.failed(EINTR);
  }
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// With a descriptor it gives that another mask, and whoever waits for it may find something now.
int signalfd(int fd, const sigset_t* mask, int flags) noexcept {
  if (execution::current_arena() == nullptr) return real_signalfd(fd, mask, flags);
  if (controlled() && fd != -1) {
    controlled_call call{operation::signal_mask, own_signals(), __builtin_return_address(0)};
    call.involve(resource_of(fd));
    const auto result = real_signalfd(fd, mask, flags);
    return ended(call, result, errno);
  }
  const auto made = real_signalfd(fd, mask, flags);
  const auto error = errno;
  auto source = no_resource;
  if (made >= 0 && made != fd)
    source = execution::new_event_source(execution::event_source::signalfd, made);
  if (!controlled()) return made;
  auto call = controlled_call::silent(operation::open, source, __builtin_return_address(0));
  return ended(call, made, error);
}

}  // extern "C"

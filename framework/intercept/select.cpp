// Waiting for descriptors in bit sets: select and pselect.
//
// Resource: while it waits, the first channel in the sets, none if it is only a time-out; then the
// first that is ready.
// Blocks, releases: as poll.
//
// The attempt is the real call on the caller's own sets, which it empties when nothing is ready: so
// they are kept, and given back before the next attempt. Linux tells in select's time-out how much
// of it is left; here it is told in virtual time. pselect leaves it alone.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <sys/select.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>

#include "framework/intercept/awaited.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/readable.hpp"
#include "framework/intercept/signal_set.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::select)> real_select{"select"};
constinit next<decltype(::pselect)> real_pselect{"pselect"};

// Descriptors above this cannot be waited for; the kernel's own limit is RLIMIT_NOFILE.
constexpr int descriptors_max = 65'536;

using word = unsigned long;
constexpr int word_bits = CHAR_BIT * sizeof(word);

// The three sets as the caller has them, and as they were when it called. Sets may be longer than
// an fd_set, and the kernel reads and writes whole words.
class sets {
 public:
  sets(int count, fd_set* read, fd_set* write, fd_set* except) noexcept
      : words_(static_cast<std::size_t>((count + word_bits - 1) / word_bits)),
        theirs_{read, write, except} {
    for (std::size_t i = 0; i < theirs_.size(); ++i)
      if (theirs_[i] != nullptr) std::memcpy(kept_[i].data(), theirs_[i], bytes());
  }

  static bool readable_all(int count, fd_set* read, fd_set* write, fd_set* except) noexcept {
    const auto bytes = static_cast<std::size_t>((count + word_bits - 1) / word_bits) * sizeof(word);
    for (const auto* set : {read, write, except})
      if (set != nullptr && !readable(set, bytes)) return false;
    return true;
  }

  void give_back() const noexcept {
    for (std::size_t i = 0; i < theirs_.size(); ++i)
      if (theirs_[i] != nullptr) std::memcpy(theirs_[i], kept_[i].data(), bytes());
  }

  [[nodiscard]] awaited look() const noexcept {
    awaited all;
    for (std::size_t i = 0; i < words_; ++i)
      for (auto any = kept_in(0, i) | kept_in(1, i) | kept_in(2, i); any != 0; any &= any - 1) {
        const auto bit = any & ~(any - 1);
        all.add(static_cast<int>(i) * word_bits + __builtin_ctzl(any),
                {.reads = (kept_in(0, i) & bit) != 0, .writes = (kept_in(1, i) & bit) != 0});
      }
    return all;
  }

  // After a call that found some.
  [[nodiscard]] resource_id first_ready() const noexcept {
    for (std::size_t i = 0; i < words_; ++i)
      if (const auto any = now_in(0, i) | now_in(1, i) | now_in(2, i); any != 0)
        return resource_of(static_cast<int>(i) * word_bits + __builtin_ctzl(any));
    return no_resource;
  }

 private:
  [[nodiscard]] std::size_t bytes() const noexcept { return words_ * sizeof(word); }
  [[nodiscard]] word kept_in(std::size_t set, std::size_t i) const noexcept {
    return theirs_[set] == nullptr ? 0 : kept_[set][i];
  }
  [[nodiscard]] word now_in(std::size_t set, std::size_t i) const noexcept {
    word value = 0;
    if (theirs_[set] != nullptr)
      std::memcpy(&value, reinterpret_cast<const std::byte*>(theirs_[set]) + i * sizeof value,
                  sizeof value);
    return value;
  }

  std::size_t words_;
  std::array<fd_set*, 3> theirs_;
  std::array<std::array<word, descriptors_max / word_bits>, 3> kept_;  // as far as `words_`
};

// attempt: the real call with a time-out of zero.
template <class Attempt>
int wait_for(const sets& all, std::uint64_t deadline, const sigset_t* mask, const void* site,
             Attempt attempt) noexcept {
  controlled_call call{operation::select, all.look().first(), site};
  if (const auto error = call.refusal(); error != 0) return call.failed(error);
  if (!take_mask(call, mask)) return call.failed(EFAULT);
  const auto result = wait_until_ready(
      call, deadline, [&] { return all.look(); },
      [&] {
        all.give_back();
        return attempt();
      });
  const auto error = errno;
  if (result < 0) all.give_back();  // a call that fails leaves the sets as they were
  if (result > 0)
    if (const auto ready = all.first_ready(); ready != no_resource) call.concern(ready);
  return ended(call, result, error);
}

// How long until then, as much as a timeval can tell.
timeval left_until(std::uint64_t deadline) noexcept {
  const auto now = execution::now_ns();
  const auto us = deadline > now ? (deadline - now) / 1'000 : 0;
  return {.tv_sec = static_cast<time_t>(us / 1'000'000),
          .tv_usec = static_cast<suseconds_t>(us % 1'000'000)};
}

bool possible(const timeval& t) noexcept { return t.tv_sec >= 0 && t.tv_usec >= 0; }

timespec to_timespec(const timeval& t) noexcept {
  constexpr suseconds_t us_per_s = 1'000'000;
  const auto more = t.tv_usec / us_per_s;
  if (t.tv_sec > LONG_MAX - more) return {.tv_sec = LONG_MAX, .tv_nsec = 0};
  return {.tv_sec = t.tv_sec + more, .tv_nsec = t.tv_usec % us_per_s * 1'000};
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout,
            const sigset_t* mask) {
  if (!controlled()) return real_pselect(count, read, write, except, timeout, mask);
  const auto few = std::min(count, descriptors_max);
  const bool bad_timeout = timeout != nullptr && (timeout->tv_sec < 0 || !valid(*timeout));
  // The kernel refuses it, so it does not wait.
  if (few < 0 || bad_timeout || !sets::readable_all(few, read, write, except))
    return real_pselect(few, read, write, except, timeout, mask);
  const sets all(few, read, write, except);
  return wait_for(all, deadline_in(timeout), mask, __builtin_return_address(0), [&] {
    constexpr timespec none{};
    return real_pselect(few, read, write, except, &none, nullptr);
  });
}

int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  if (!controlled()) return real_select(count, read, write, except, timeout);
  const auto few = std::min(count, descriptors_max);
  if (few < 0 || (timeout != nullptr && !possible(*timeout)) ||
      !sets::readable_all(few, read, write, except))
    return real_select(few, read, write, except, timeout);
  const sets all(few, read, write, except);
  timespec patience{};
  if (timeout != nullptr) patience = to_timespec(*timeout);
  const auto deadline = deadline_in(timeout == nullptr ? nullptr : &patience);
  const auto result = wait_for(all, deadline, nullptr, __builtin_return_address(0), [&] {
    timeval none{};
    return real_select(few, read, write, except, &none);
  });
  if (timeout != nullptr) *timeout = left_until(deadline);
  return result;
}

}  // extern "C"

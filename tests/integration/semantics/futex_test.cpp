// futex(2) in shared memory: between processes.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <ctime>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

struct words : notes, appointment {
  std::atomic<std::uint32_t> first{0};
  std::atomic<std::uint32_t> second{0};
  std::atomic<int> waiting{0};
  std::array<appointment, 3> waiters;

  // Several wait at a time: whoever needs them all asleep looks at each.
  void announce(std::size_t number) { waiters.at(number).next_call_waits(); }
  void await_all(std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) waiters.at(i).await_waiter();
  }
};

long call(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
          const void* timeout = nullptr, std::atomic<std::uint32_t>* second = nullptr,
          std::uint32_t third = 0) {
  return syscall(SYS_futex, &word, operation, value, timeout, second, third);
}

// A number in the place of a time-out.
const void* number(long count) { return reinterpret_cast<const void*>(count); }

// One that has just woken from a nap may not have made its call yet, though it sleeps: under
// control everybody does who has not been picked.
void await_call(const appointment& other) {
  other.await_waiter();
  other.await_waiter();
}

// What the waits say: 0, or minus the error.
long said(long result) { return result == -1 ? -errno : result; }

long now_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

timespec at(long ns) { return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000}; }

constexpr long ms = 1'000'000;

}  // namespace

TEST_CASE("a wait for a futex lasts until it is woken, and the wake says how many it woke") {
  const auto seen = both<words>({
      [](words& w) {
        w.next_call_waits();
        w.note(0, call(w.first, FUTEX_WAIT, 0));
        w.call_has_ended();
      },
      [](words& w) {
        w.await_waiter();
        w.note(1, call(w.first, FUTEX_WAKE, 5));
        w.await_its_end();
        w.note(2, call(w.first, FUTEX_WAKE, 5));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
}

TEST_CASE("a wait for a futex that has another value says EAGAIN") {
  const auto seen = both<words>({[](words& w) {
    w.first = 7;
    w.note(0, said(call(w.first, FUTEX_WAIT, 0)));
    w.note(1, said(call(w.first, FUTEX_WAIT_BITSET, 8, nullptr, nullptr, 1)));
  }});
  CHECK(seen[0] == -EAGAIN);
  CHECK(seen[1] == -EAGAIN);
}

TEST_CASE("time-outs of a wait for a futex count from the call, or by the clock that it names") {
  const auto seen = both<words>({[](words& w) {
    const auto begin = now_ns(CLOCK_MONOTONIC);
    const auto nap = at(2 * ms);
    w.note(0, said(call(w.first, FUTEX_WAIT, 0, &nap)));
    w.note(1, now_ns(CLOCK_MONOTONIC) - begin >= 2 * ms);
    const auto until = at(now_ns(CLOCK_MONOTONIC) + 2 * ms);
    w.note(2, said(call(w.first, FUTEX_WAIT_BITSET, 0, &until, nullptr, 1)));
    w.note(3, now_ns(CLOCK_MONOTONIC) - begin >= 4 * ms);
    const auto real = at(now_ns(CLOCK_REALTIME) + 2 * ms);
    constexpr int by_real = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;
    w.note(4, said(call(w.first, by_real, 0, &real, nullptr, 1)));
    w.note(5, now_ns(CLOCK_MONOTONIC) - begin >= 6 * ms);
    const auto past = at(1);
    w.note(6, said(call(w.first, FUTEX_WAIT_BITSET, 0, &past, nullptr, 1)));
  }});
  CHECK(seen[0] == -ETIMEDOUT);
  CHECK(seen[2] == -ETIMEDOUT);
  CHECK(seen[4] == -ETIMEDOUT);
  CHECK(seen[6] == -ETIMEDOUT);
  for (const auto slot : {1U, 3U, 5U}) CHECK(seen[slot] == 1);
}

TEST_CASE("a wake with bits wakes only those that wait with one of them") {
  const auto seen = both<words>({
      [](words& w) {
        w.announce(0);
        w.note(0, call(w.first, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 1));
        w.note(1, w.second);
        w.call_has_ended();
      },
      [](words& w) {
        w.announce(1);
        w.note(2, call(w.first, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 6));
        w.second = 1;
        w.note(3, call(w.first, FUTEX_WAKE_BITSET, 9, nullptr, nullptr, 5));
      },
      [](words& w) {
        w.await_all(2);
        w.note(4, call(w.first, FUTEX_WAKE_BITSET, 9, nullptr, nullptr, 8));
        w.note(5, call(w.first, FUTEX_WAKE_BITSET, 9, nullptr, nullptr, 2));
        w.await_its_end();
        w.note_error(6, call(w.first, FUTEX_WAKE_BITSET, 9, nullptr, nullptr, 0));
        w.note_error(7, call(w.first, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 0));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == EINVAL);
  CHECK(seen[7] == EINVAL);
}

TEST_CASE("of several waiters a wake lets as many go on as it says") {
  static constexpr auto wait = [](words& w, std::size_t number) {
    w.announce(number);
    if (call(w.first, FUTEX_WAIT, 0) == 0) ++w.second;
  };
  const auto seen = both<words>({
      [](words& w) { wait(w, 0); },
      [](words& w) { wait(w, 1); },
      [](words& w) { wait(w, 2); },
      [](words& w) {
        w.await_all(3);
        w.note(0, call(w.first, FUTEX_WAKE, 2));
        while (w.second != 2) usleep(1000);
        w.note(1, call(w.first, FUTEX_WAKE, 2));
        while (w.second != 3) usleep(1000);
        w.note(2, w.second);
      },
  });
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 3);
}

TEST_CASE("a requeue wakes some waiters and lets others wait for another futex") {
  static constexpr auto wait = [](words& w, std::size_t number) {
    w.announce(number);
    if (call(w.first, FUTEX_WAIT, 0) == 0) ++w.waiting;
  };
  const auto seen = both<words>({
      [](words& w) { wait(w, 0); },
      [](words& w) { wait(w, 1); },
      [](words& w) { wait(w, 2); },
      [](words& w) {
        w.await_all(3);
        w.note_error(0, call(w.first, FUTEX_CMP_REQUEUE, 1, number(1), &w.second, 4));
        w.note(1, call(w.first, FUTEX_CMP_REQUEUE, 1, number(1), &w.second, 0));
        while (w.waiting != 1) usleep(1000);
        w.note(2, call(w.second, FUTEX_WAKE, 9));
        while (w.waiting != 2) usleep(1000);
        w.note(3, call(w.first, FUTEX_REQUEUE, 0, number(9), &w.second));
        w.note(4, call(w.first, FUTEX_WAKE, 9));
        w.note(5, call(w.second, FUTEX_WAKE, 9));
        w.note_error(6, call(w.first, FUTEX_REQUEUE, 0, number(-1), &w.second));
      },
  });
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 2);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == EINVAL);
}

TEST_CASE("wake_op changes the second word, and wakes there if its old value says so") {
  struct counted : words {
    counted() { second = 3; }
  };
  const auto seen = both<counted>({
      [](counted& w) {
        w.announce(0);
        w.note(0, call(w.first, FUTEX_WAIT, 0));
      },
      [](counted& w) {
        w.announce(1);
        w.note(1, call(w.second, FUTEX_WAIT, 3));
      },
      [](counted& w) {
        w.await_all(2);
        constexpr auto add_two_if_less = FUTEX_OP(FUTEX_OP_ADD, 2, FUTEX_OP_CMP_LT, 3);
        constexpr auto add_two_if_equal = FUTEX_OP(FUTEX_OP_ADD, 2, FUTEX_OP_CMP_EQ, 5);
        w.note(2, call(w.first, FUTEX_WAKE_OP, 1, number(1), &w.second, add_two_if_less));
        w.note(3, w.second);
        w.note(4, call(w.first, FUTEX_WAKE_OP, 1, number(1), &w.second, add_two_if_equal));
        w.note(5, w.second);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 5);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 7);
}

TEST_CASE("a private futex in shared memory is another one in each process") {
  const auto seen = both<words>({
      [](words& w) {
        const auto nap = at(20 * ms);
        w.next_call_waits();
        w.note(0, said(call(w.first, FUTEX_WAIT_PRIVATE, 0, &nap)));
        while (w.second == 0) usleep(1000);
      },
      [](words& w) {
        w.await_waiter();
        w.note(1, call(w.first, FUTEX_WAKE_PRIVATE, 9));
        w.note(2, call(w.first, FUTEX_WAKE, 9));
        w.second = 1;
      },
  });
  CHECK(seen[0] == -ETIMEDOUT);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("a lock with priority inheritance passes to the one that waits") {
  const auto seen = both<words>({
      [](words& w) {
        w.note(0, call(w.first, FUTEX_LOCK_PI, 0));
        w.second = 1;
        await_call(w);
        w.note(1, (w.first & FUTEX_WAITERS) != 0);
        w.note(2, call(w.first, FUTEX_UNLOCK_PI, 0));
        w.await_its_end();
      },
      [](words& w) {
        while (w.second == 0) usleep(1000);
        const auto past = at(1);
        w.note(3, said(call(w.first, FUTEX_LOCK_PI, 0, &past)));
        w.next_call_waits();
        w.note(4, call(w.first, FUTEX_LOCK_PI, 0));
        w.call_has_ended();
        w.note(5, (w.first & FUTEX_TID_MASK) == static_cast<std::uint32_t>(getpid()));
        w.note(6, said(call(w.first, FUTEX_LOCK_PI, 0)));
        w.note(7, call(w.first, FUTEX_UNLOCK_PI, 0));
        w.note(8, w.first);
        w.note(9, said(call(w.first, FUTEX_UNLOCK_PI, 0)));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == -ETIMEDOUT);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == -EDEADLK);
  CHECK(seen[7] == 0);
  CHECK(seen[8] == 0);
  CHECK(seen[9] == -EPERM);
}

TEST_CASE("futex_waitv waits for any of several futexes and says which one it was") {
  const auto seen = both<words>({
      [](words& w) {
        std::array<futex_waitv, 2> any{};
        any[0] = {0, reinterpret_cast<std::uintptr_t>(&w.first), FUTEX_32, 0};
        any[1] = {0, reinterpret_cast<std::uintptr_t>(&w.second), FUTEX_32, 0};
        const auto wait = [&](const timespec* until) {
          return said(syscall(SYS_futex_waitv, any.data(), 2, 0, until, CLOCK_MONOTONIC));
        };
        const auto past = at(1);
        w.note(0, wait(&past));
        w.next_call_waits();
        w.note(1, wait(nullptr));
        w.call_has_ended();
        any[0].val = 1;
        w.note(2, wait(nullptr));
        w.note(3, said(syscall(SYS_futex_waitv, any.data(), 0, 0, nullptr, 0)));
        w.note(4, said(syscall(SYS_futex_waitv, nullptr, 2, 0, nullptr, 0)));
      },
      [](words& w) {
        w.await_waiter();
        w.note(5, call(w.second, FUTEX_WAKE, 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == -ETIMEDOUT);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == -EAGAIN);
  CHECK(seen[3] == -EINVAL);
  CHECK(seen[4] == -EINVAL);
  CHECK(seen[5] == 1);
}

TEST_CASE("a word on the robust list of one that dies wakes whoever waits for it") {
  struct robust : words {
    robust_list_head list{};
    robust_list entry{};
  };
  const auto seen = both<robust>({
      [](robust& w) {
        const auto owner = fork();
        if (owner == 0) {
          w.first = static_cast<std::uint32_t>(getpid()) | FUTEX_WAITERS;
          w.list.list.next = &w.entry;
          w.entry.next = &w.list.list;
          w.list.futex_offset =
              reinterpret_cast<char*>(&w.first) - reinterpret_cast<char*>(&w.entry);
          syscall(SYS_set_robust_list, &w.list, sizeof w.list);
          w.second = 1;
          await_call(w);
          syscall(SYS_exit_group, 0);
        }
        waitpid(owner, nullptr, 0);
      },
      [](robust& w) {
        while (w.second == 0) usleep(1000);
        const std::uint32_t held = w.first;
        w.next_call_waits();
        w.note(0, said(call(w.first, FUTEX_WAIT, held)));
        w.note(1, (w.first & FUTEX_OWNER_DIED) != 0);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("bad arguments of futex calls say what the kernel says") {
  const auto seen = both<words>({[](words& w) {
    const timespec wrong{.tv_sec = 0, .tv_nsec = -1};
    w.note(0, said(call(w.first, FUTEX_WAIT, 0, &wrong)));
    w.note(1, said(call(w.first, FUTEX_WAIT, 0, number(8))));
    w.note(2, said(syscall(SYS_futex, reinterpret_cast<char*>(&w.first) + 1, FUTEX_WAIT, 0, 0)));
    w.note(3, said(syscall(SYS_futex, reinterpret_cast<char*>(&w.first) + 1, FUTEX_WAKE, 1)));
    w.note(4, said(syscall(SYS_futex, nullptr, FUTEX_WAIT, 0, nullptr)));
    w.note(5, said(syscall(SYS_futex, nullptr, FUTEX_WAKE, 1)));
    w.note(6, said(call(w.first, 127, 0)));
    w.note(7, said(call(w.first, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 1)));
    w.note(8, call(w.first, FUTEX_WAKE, 0));
    w.note(9, said(call(w.first, FUTEX_TRYLOCK_PI, 0)));
    w.note(10, said(call(w.first, FUTEX_UNLOCK_PI, 0)));
  }});
  CHECK(seen[0] == -EINVAL);
  CHECK(seen[1] == -EFAULT);
  CHECK(seen[2] == -EINVAL);
  CHECK(seen[3] == -EINVAL);
  CHECK(seen[4] == -EFAULT);
  CHECK(seen[5] == -EFAULT);
  CHECK(seen[6] == -ENOSYS);
  CHECK(seen[8] == 0);
  CHECK(seen[9] == 0);
  CHECK(seen[10] == 0);
}

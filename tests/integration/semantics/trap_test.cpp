// What the handling of trapped calls must leave as it is: masks, handlers, stacks, time, threads;
// and what is said where calls escape.
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <semaphore>
#include <thread>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

long inline_call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  long result = 0;
  register long fourth __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                   : "rcx", "r11", "memory");
  return result;
}

long address(const void* place) { return reinterpret_cast<long>(place); }

std::atomic<long> from_handler{0};

void read_in_handler(int /*signal*/) {
  std::array<int, 2> ends{};
  char byte = 0;
  if (pipe(ends.data()) != 0) return;
  auto* out = fdopen(ends[1], "w");
  fputc('h', out);
  fclose(out);
  from_handler = inline_call(SYS_read, ends[0], address(&byte), 1) == 1 ? byte : -1;
  close(ends[0]);
}

void note_sigsys(int /*signal*/) { from_handler = SIGSYS; }

// Does the thread have a mask with all signals but those that cannot be blocked?
bool blocks(int signal) {
  sigset_t now;
  sigprocmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

}  // namespace

TEST_CASE("a mask set by an instruction in the program is the program's mask") {
  const auto seen = both<notes>({[](notes& w) {
    const std::uint64_t all = ~std::uint64_t{0};
    const std::uint64_t usr1 = std::uint64_t{1} << (SIGUSR1 - 1);
    std::uint64_t old = 0;
    w.note(0, inline_call(SYS_rt_sigprocmask, SIG_SETMASK, address(&all), 0, 8));
    w.note(1, blocks(SIGUSR1) && blocks(SIGTERM) && !blocks(SIGKILL));
    w.note(2, inline_call(SYS_rt_sigprocmask, SIG_UNBLOCK, address(&usr1), address(&old), 8));
    w.note(3, (old & usr1) != 0);
    w.note(4, blocks(SIGUSR1));
    w.note(5, blocks(SIGUSR2));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
}

TEST_CASE("a handler that blocks all signals may use streams and calls of its own") {
  const auto seen = both<notes>({[](notes& w) {
    struct sigaction action {};
    action.sa_handler = read_in_handler;
    sigfillset(&action.sa_mask);
    from_handler = 0;
    w.note_error(0, sigaction(SIGUSR1, &action, nullptr));
    raise(SIGUSR1);
    w.note(1, from_handler);
    w.note(2, blocks(SIGUSR2));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 'h');
  CHECK(seen[2] == 0);
}

TEST_CASE("a handler on an alternate stack may make calls of its own") {
  const auto seen = both<notes>({[](notes& w) {
    const auto size = static_cast<std::size_t>(sysconf(_SC_SIGSTKSZ)) + 65'536;
    stack_t stack{};
    stack.ss_sp = std::malloc(size);
    stack.ss_size = size;
    w.note(0, inline_call(SYS_sigaltstack, address(&stack)));
    stack_t now{};
    sigaltstack(nullptr, &now);
    w.note(1, now.ss_sp == stack.ss_sp && now.ss_size == size);
    struct sigaction action {};
    action.sa_handler = read_in_handler;
    action.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR1, &action, nullptr);
    from_handler = 0;
    raise(SIGUSR1);
    w.note(2, from_handler);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
    std::free(stack.ss_sp);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'h');
}

TEST_CASE("a program's own handler of SIGSYS is told of, and gets what is no trap") {
  const auto seen = both<notes>({[](notes& w) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = note_sigsys;
    w.note_error(0, sigaction(SIGSYS, &action, &before));
    w.note(1, before.sa_handler == SIG_DFL);
    w.note_error(2, sigaction(SIGSYS, nullptr, &before));
    w.note(3, before.sa_handler == note_sigsys);
    from_handler = 0;
    kill(getpid(), SIGSYS);
    w.note(4, from_handler);
    w.note(5, inline_call(SYS_getpid) == getpid());
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == SIGSYS);
  CHECK(seen[5] == 1);
}

TEST_CASE("SIGSYS ends a process that has no handler of it") {
  const auto seen = both<notes>({[](notes& w) {
                                  const auto child = fork();
                                  if (child == 0) {
                                    kill(getpid(), SIGSYS);
                                    _exit(0);
                                  }
                                  int status = 0;
                                  waitpid(child, &status, 0);
                                  w.note(0, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
                                }},
                                deaths::wanted);
  CHECK(seen[0] == SIGSYS);
}

TEST_CASE("a child process is trapped as its parent was") {
  const auto seen = both<piped>({[](piped& w) {
    const auto child = fork();
    if (child == 0) {
      char byte = 0;
      w.note(0, inline_call(SYS_read, w.in, address(&byte), 1));
      w.note(1, byte);
      _exit(0);
    }
    w.note(2, inline_call(SYS_write, w.out, address("c"), 1));
    w.note(3, inline_call(SYS_wait4, child, 0, 0) == child);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'c');
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("two threads that use a stream wait for its lock, which one holds while it reads") {
  const auto seen = both<piped>({
      [](piped& w) {
        auto* in = fdopen(w.in, "r");
        std::array<std::array<char, 8>, 2> lines{};
        const auto read_line = [&](std::size_t which) {
          return fgets(lines.at(which).data(), 8, in) != nullptr;
        };
        std::thread other([&] { w.note(0, read_line(0)); });
        w.note(1, read_line(1));
        other.join();
        w.note(2, lines[0][0] + lines[1][0] == 'a' + 'b');
        fclose(in);
      },
      [](piped& w) {
        usleep(1000);
        w.note(3, write(w.out, "a\nb\n", 4));
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 4);
}

TEST_CASE("atomics, latches and semaphores of the standard library wait and wake among threads") {
  const auto seen = both<notes>({[](notes& w) {
    std::atomic<int> turn{0};
    std::atomic<std::uint8_t> small{0};  // waits by way of the library's table
    std::latch done(2);
    std::counting_semaphore<4> permits(0);
    std::thread other([&] {
      turn.wait(0);
      w.note(0, turn);
      small = 7;
      small.notify_all();
      permits.release(2);
      done.arrive_and_wait();
    });
    turn = 1;
    turn.notify_one();
    small.wait(0);
    w.note(1, small);
    permits.acquire();
    permits.acquire();
    w.note(2, permits.try_acquire());
    done.arrive_and_wait();
    other.join();
    w.note(3, 1);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 7);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("calls that nobody schedules are named, with the line that made them") {
  forkloom::scenario_info info{.name = "escapes",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body =
                                   [](forkloom::scenario& s) {
                                     s.process("escaper", [] {
                                       syscall(SYS_unshare, 0);
                                       inline_call(SYS_io_getevents, 0, 0, 0, 0);
                                       syscall(SYS_io_pgetevents, 0, 0, 0, nullptr, nullptr,
                                               nullptr);
                                       syscall(SYS_io_submit, 0, 0, nullptr);
                                       syscall(SYS_io_uring_enter, -1, 0, 0, 0, nullptr, 0);
                                     });
                                   },
                               .defaults = {}};
  info.defaults.executions = 3;
  info.defaults.checkers = {"expectation"};
  const auto result = forkloom::explore::run_campaign(info, info.defaults);
  REQUIRE(result.uncontrolled.size() == 5);
  CHECK(result.uncontrolled[0].starts_with("unshare at "));
  CHECK(result.uncontrolled[1].starts_with("io_getevents at "));
  CHECK(result.uncontrolled[2].starts_with("io_pgetevents at "));
  CHECK(result.uncontrolled[3].starts_with("io_submit at "));
  CHECK(result.uncontrolled[4].starts_with("io_uring_enter at "));
  for (const auto& line : result.uncontrolled)
    CHECK(line.find("trap_test.cpp:") != std::string::npos);
}

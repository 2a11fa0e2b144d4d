// System calls by number: syscall(2), and the same instruction inline.
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ipc.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

// As a program makes it that does without libc: the kernel's result, no errno.
long inline_call(long number, long a = 0, long b = 0, long c = 0) {
  long result = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

long address(const void* place) { return reinterpret_cast<long>(place); }

struct msg {
  long type;
  char text;
};

struct queued : notes, appointment {
  int queue = msgget(IPC_PRIVATE, 0600);
  queued() = default;
  queued(const queued&) = delete;
  queued& operator=(const queued&) = delete;
  ~queued() { msgctl(queue, IPC_RMID, nullptr); }
  static int msgget(key_t key, int flags) {
    return static_cast<int>(syscall(SYS_msgget, key, flags | IPC_CREAT));
  }
  static void msgctl(int id, int command, void* status) {
    syscall(SYS_msgctl, id, command, status);
  }
};

std::atomic<int> handled{0};
void count(int /*signal*/) { ++handled; }

}  // namespace

TEST_CASE("syscall() says what the function of the same name says, in errno too") {
  const auto seen = both<piped>({[](piped& w) {
    char byte = 0;
    errno = 0;
    w.note(0, syscall(SYS_write, w.out, "x", 1));
    w.note(1, errno);
    w.note(2, syscall(SYS_read, w.in, &byte, 1));
    w.note(3, byte);
    w.note_error(4, syscall(SYS_read, w.out, &byte, 1));
    w.note_error(5, syscall(SYS_close, -1));
    w.note_error(6, syscall(SYS_openat, AT_FDCWD, "/dev/shm/there/is/none", O_RDONLY));
    w.note_error(7, syscall(unseen(100'000)));
    w.note_error(8, syscall(unseen(-1)));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 'x');
  CHECK(seen[4] == EBADF);
  CHECK(seen[5] == EBADF);
  CHECK(seen[6] == ENOENT);
  CHECK(seen[7] == ENOSYS);
  CHECK(seen[8] == ENOSYS);
}

TEST_CASE("a read by number waits for a writer") {
  const auto seen = both<piped>({
      [](piped& w) {
        char byte = 0;
        w.next_call_waits();
        w.note(0, syscall(SYS_read, w.in, &byte, 1));
        w.call_has_ended();
        w.note(1, byte);
      },
      [](piped& w) {
        w.await_waiter();
        w.note(2, syscall(SYS_write, w.out, "x", 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 1);
}

TEST_CASE("a read by an instruction in the program waits for a writer, and leaves errno alone") {
  const auto seen = both<piped>({
      [](piped& w) {
        char byte = 0;
        errno = 4711;
        w.next_call_waits();
        w.note(0, inline_call(SYS_read, w.in, address(&byte), 1));
        w.call_has_ended();
        w.note(1, byte);
        w.note(2, inline_call(SYS_read, -1, address(&byte), 1));
        w.note(3, errno);
      },
      [](piped& w) {
        w.await_waiter();
        w.note(4, inline_call(SYS_write, w.out, address("x"), 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == -EBADF);
  CHECK(seen[3] == 4711);
  CHECK(seen[4] == 1);
}

TEST_CASE("a message received by number waits for one of its type") {
  const auto seen = both<queued>({
      [](queued& w) {
        msg got{};
        w.next_call_waits();
        w.note(0, syscall(SYS_msgrcv, w.queue, &got, sizeof got.text, 2, 0));
        w.call_has_ended();
        w.note(1, got.text);
      },
      [](queued& w) {
        w.await_waiter();
        const msg first{1, 'a'};
        const msg second{2, 'b'};
        w.note(2, syscall(SYS_msgsnd, w.queue, &first, sizeof first.text, 0));
        w.note(3, syscall(SYS_msgsnd, w.queue, &second, sizeof second.text, 0));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'b');
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("a child forked by number is a process of its own, and can be waited for by number") {
  const auto seen = both<notes>({[](notes& w) {
    const auto child = syscall(SYS_fork);
    if (child == 0) {
      w.note(0, 1);
      syscall(SYS_exit_group, 7);
    }
    int status = 0;
    w.note(1, syscall(SYS_wait4, child, &status, 0, nullptr) == child);
    w.note(2, WEXITSTATUS(status));
    const auto other = inline_call(SYS_clone, SIGCHLD);
    if (other == 0) inline_call(SYS_exit_group, 8);
    w.note(3, waitpid(static_cast<pid_t>(other), &status, 0) == other);
    w.note(4, WEXITSTATUS(status));
    w.note_error(5, syscall(SYS_wait4, -1, nullptr, 0, nullptr));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 7);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 8);
  CHECK(seen[5] == ECHILD);
}

TEST_CASE("a sleep by number lasts as long as it says, by the clock read by number") {
  const auto seen = both<notes>({[](notes& w) {
    timespec before{};
    timespec after{};
    const timespec nap{.tv_sec = 0, .tv_nsec = 2'000'000};
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
    w.note(0, syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, nullptr));
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after);
    const auto took =
        (after.tv_sec - before.tv_sec) * 1'000'000'000 + after.tv_nsec - before.tv_nsec;
    w.note(1, took >= nap.tv_nsec);
    const timespec wrong{.tv_sec = 0, .tv_nsec = -1};
    w.note_error(2, syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &wrong, nullptr));
    w.note(3, inline_call(SYS_nanosleep, address(&wrong)));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == -EINVAL);
}

TEST_CASE("a message queue opened by number is the one that its name with a slash opens") {
  const auto seen = both<notes>({[](notes& w) {
    const auto name = "forkloom-raw-" + std::to_string(getpid());
    const auto queue = syscall(SYS_mq_open, name.c_str(), O_CREAT | O_RDWR, 0600, nullptr);
    w.note(0, queue >= 0);
    char text[8192] = {'x'};
    w.note(1, syscall(SYS_mq_timedsend, queue, text, 1, 0, nullptr));
    w.note(2, syscall(SYS_mq_timedreceive, queue, text, sizeof text, nullptr, nullptr));
    w.note_error(3, syscall(SYS_mq_unlink, name.c_str()));
    w.note_error(4, syscall(SYS_mq_unlink, name.c_str()));
    close(static_cast<int>(queue));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == ENOENT);
}

TEST_CASE("bad arguments of calls by number say what the kernel says") {
  const auto seen = both<notes>({[](notes& w) {
    w.note_error(0, syscall(SYS_pipe2, 1, 0));
    w.note_error(1, syscall(SYS_futex, 2, FUTEX_WAIT, 0, nullptr));
    w.note_error(2, syscall(SYS_ppoll, 1, 1, nullptr, nullptr, 8));
    w.note_error(3, syscall(SYS_rt_sigprocmask, SIG_SETMASK, 1, nullptr, 8));
    w.note_error(4, syscall(SYS_rt_sigaction, SIGUSR1, 1, nullptr, 8));
    w.note_error(5, syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, nullptr, 4));
  }});
  CHECK(seen[0] == EFAULT);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EFAULT);
  CHECK(seen[3] == EFAULT);
  CHECK(seen[4] == EFAULT);
  CHECK(seen[5] == EINVAL);
}

TEST_CASE("a handler of a signal returns to the program, whoever installed it") {
  const auto seen = both<notes>({[](notes& w) {
    handled = 0;
    signal(SIGUSR1, count);
    raise(SIGUSR1);
    w.note(0, handled);
    w.note(1, inline_call(SYS_tgkill, getpid(), inline_call(SYS_gettid), SIGUSR1));
    w.note(2, handled);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 2);
}

TEST_CASE("preadv2 of a pipe waits for data, unless it is told not to") {
  const auto seen = both<piped>({
      [](piped& w) {
        char byte = 0;
        const iovec part{&byte, 1};
        w.note_error(0, preadv2(w.in, &part, 1, -1, RWF_NOWAIT));
        w.next_call_waits();
        w.note(1, preadv2(w.in, &part, 1, -1, 0));
        w.call_has_ended();
        w.note(2, byte);
        w.note_error(3, preadv2(w.in, &part, 1, 0, 0));
      },
      [](piped& w) {
        w.await_waiter();
        const iovec part{const_cast<char*>("x"), 1};
        w.note(4, pwritev2(w.out, &part, 1, -1, 0));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'x');
  CHECK(seen[3] == ESPIPE);
  CHECK(seen[4] == 1);
}

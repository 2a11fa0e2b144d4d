// Which calls a handler interrupts, and which go on with SA_RESTART: those that wait for many, for
// descriptors of all sorts, for futexes and for room.
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>

#include <limits>

#include "tests/integration/semantics/interruptions.hpp"

namespace {

using namespace forkloom::semantics;

constexpr std::uint64_t most_events = std::numeric_limits<std::uint64_t>::max() - 1;

long moved(ssize_t count) { return count > 0 ? 0 : -1; }

void write_one(places& w) { [[maybe_unused]] const auto put = write(w.empty[1], "x", 1); }
void drain(places& w) {
  std::array<char, places::pipe_size> bytes;
  [[maybe_unused]] const auto got = read(w.full[0], bytes.data(), bytes.size());
}
void nothing(places&) {}

iovec one_byte() {
  static char byte = 'x';
  return {&byte, 1};
}

long add_events(places& w, std::uint64_t count) {
  return moved(write(w.counter, &count, sizeof count));
}
long read_number(int fd) {
  std::uint64_t value = 0;
  return moved(read(fd, &value, sizeof value));
}

// Sends until there is no room.
void fill(int fd) {
  const std::array<char, 8192> bytes{};
  while (send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) continue;
  while (send(fd, bytes.data(), 1, MSG_DONTWAIT) > 0) continue;
}
void drain_socket(places& w) {
  std::array<char, 8192> bytes;
  while (recv(w.ends[1], bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) continue;
}

long futex(std::atomic<int>& word, int op, int value, const timespec* timeout) {
  return syscall(SYS_futex, &word, op, value, timeout, nullptr, FUTEX_BITSET_MATCH_ANY);
}

long wait_for_any(places& w, const timespec* until) {
  ::futex_waitv one{};
  one.uaddr = reinterpret_cast<std::uintptr_t>(&w.word);  // NOLINT: so is the interface
  one.flags = FUTEX_32;
  return syscall(SYS_futex_waitv, &one, 1, 0, until, CLOCK_MONOTONIC) >= 0 ? 0 : -1;
}
void wake_futex(places& w) {
  w.word = 1;
  futex(w.word, FUTEX_WAKE, 1, nullptr);
}

timespec monotonic_in_ten_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  now.tv_sec += 10;
  return now;
}

const std::array attempts{
    attempt{"select", false,
            [](places& w) -> long {
              fd_set set;
              FD_ZERO(&set);
              FD_SET(w.empty[0], &set);
              return select(w.empty[0] + 1, &set, nullptr, nullptr, nullptr) >= 0 ? 0 : -1;
            },
            nothing},
    attempt{"pselect", false,
            [](places&) -> long {
              return pselect(0, nullptr, nullptr, nullptr, &in_ten_seconds, nullptr);
            },
            nothing},
    attempt{"ppoll", false,
            [](places& w) -> long {
              pollfd one{w.empty[0], POLLIN, 0};
              return ppoll(&one, 1, nullptr, nullptr) >= 0 ? 0 : -1;
            },
            nothing},
    attempt{"epoll_wait", false,
            [](places& w) -> long {
              const int epoll = epoll_create1(0);
              epoll_event event{.events = EPOLLIN, .data = {}};
              epoll_ctl(epoll, EPOLL_CTL_ADD, w.empty[0], &event);
              w.next_call_waits();
              return epoll_wait(epoll, &event, 1, -1) >= 0 ? 0 : -1;
            },
            nothing, nothing, true},
    attempt{"epoll_pwait", false,
            [](places& w) -> long {
              const int epoll = epoll_create1(0);
              epoll_event event{};
              const auto open = set_of({});
              w.next_call_waits();
              return epoll_pwait(epoll, &event, 1, 5000, &open) >= 0 ? 0 : -1;
            },
            nothing, nothing, true},
    attempt{"read of an eventfd", true, [](places& w) -> long { return read_number(w.counter); },
            [](places& w) { add_events(w, 1); }},
    attempt{"write to an eventfd", true, [](places& w) -> long { return add_events(w, 1); },
            [](places& w) { read_number(w.counter); },
            [](places& w) { add_events(w, most_events); }},
    attempt{"read of a timerfd", true, [](places& w) -> long { return read_number(w.timer); },
            [](places& w) {
              const itimerspec soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1}};
              timerfd_settime(w.timer, 0, &soon, nullptr);
            }},
    attempt{"read of a signalfd", true,
            [](places& w) -> long {
              block({SIGUSR2});
              const auto set = set_of({SIGUSR2});
              const int fd = signalfd(-1, &set, 0);
              signalfd_siginfo info{};
              w.next_call_waits();
              return moved(read(fd, &info, sizeof info));
            },
            [](places& w) { kill(w.receiver, SIGUSR2); }, nothing, true},
    attempt{"readv of a pipe", true,
            [](places& w) -> long {
              const auto part = one_byte();
              return moved(readv(w.empty[0], &part, 1));
            },
            write_one},
    attempt{"writev to a full pipe", true,
            [](places& w) -> long {
              const auto part = one_byte();
              return moved(writev(w.full[1], &part, 1));
            },
            drain},
    attempt{
        "splice from a pipe", true,
        [](places& w) -> long { return moved(splice(w.empty[0], nullptr, w.file, nullptr, 1, 0)); },
        write_one},
    attempt{"splice from a socket", true,
            [](places& w) -> long {
              return moved(splice(w.ends[0], nullptr, w.empty[1], nullptr, 1, 0));
            },
            [](places& w) { send(w.ends[1], "x", 1, 0); }},
    attempt{"tee", true,
            [](places& w) -> long {
              std::array<int, 2> other{};
              if (pipe(other.data()) != 0) return -1;
              w.next_call_waits();
              return moved(tee(w.empty[0], other[1], 1, 0));
            },
            write_one, nothing, true},
    attempt{"vmsplice to a full pipe", true,
            [](places& w) -> long {
              const auto part = one_byte();
              return moved(vmsplice(w.full[1], &part, 1, 0));
            },
            drain},
    attempt{"wait for a futex", true,
            [](places& w) -> long { return futex(w.word, FUTEX_WAIT, 0, nullptr); }, wake_futex},
    attempt{"wait for a futex with a time-out", false,
            [](places& w) -> long { return futex(w.word, FUTEX_WAIT, 0, &in_ten_seconds); },
            nothing},
    attempt{"wait for a futex until a time", false,
            [](places& w) -> long {
              const auto until = monotonic_in_ten_seconds();
              w.next_call_waits();
              return futex(w.word, FUTEX_WAIT_BITSET, 0, &until);
            },
            nothing, nothing, true},
    attempt{"wait for any of several futexes", true,
            [](places& w) -> long { return wait_for_any(w, nullptr); }, wake_futex},
    attempt{"wait for any of several futexes until a time", true,
            [](places& w) -> long {
              const auto until = monotonic_in_ten_seconds();
              w.next_call_waits();
              return wait_for_any(w, &until);
            },
            wake_futex, nothing, true},
    attempt{"thrd_sleep", false,
            [](places&) -> long {
              const auto result = thrd_sleep(&in_ten_seconds, nullptr);
              errno = result == -1 ? EINTR : 0;
              return result == 0 ? 0 : -1;
            },
            nothing},
    attempt{"sleep", false,
            [](places&) -> long {
              errno = EINTR;
              return sleep(10) == 0 ? 0 : -1;
            },
            nothing},
    attempt{"sem_clockwait", false,
            [](places& w) -> long {
              const auto until = monotonic_in_ten_seconds();
              w.next_call_waits();
              return sem_clockwait(&w.closed, CLOCK_MONOTONIC, &until);
            },
            nothing, nothing, true},
    attempt{"pause", false, [](places&) -> long { return pause(); }, nothing},
    attempt{"sigsuspend", false,
            [](places&) -> long {
              const auto open = set_of({});
              return sigsuspend(&open);
            },
            nothing},
    attempt{"sigwaitinfo", false,
            [](places&) -> long {
              const auto other = set_of({SIGUSR2});
              return sigwaitinfo(&other, nullptr) > 0 ? 0 : -1;
            },
            nothing},
};

const std::array attempts_at_queues{
    attempt{"send", true,
            [](places& w) -> long {
              fill(w.ends[0]);
              w.next_call_waits();
              return moved(send(w.ends[0], "x", 1, 0));
            },
            drain_socket, nothing, true},
    attempt{"send with a time-out", false,
            [](places& w) -> long {
              const timeval long_time{.tv_sec = 10, .tv_usec = 0};
              setsockopt(w.ends[0], SOL_SOCKET, SO_SNDTIMEO, &long_time, sizeof long_time);
              fill(w.ends[0]);
              w.next_call_waits();
              return moved(send(w.ends[0], "x", 1, 0));
            },
            nothing, nothing, true},
    attempt{"sendmsg", true,
            [](places& w) -> long {
              fill(w.ends[0]);
              auto part = one_byte();
              msghdr message{};
              message.msg_iov = &part;
              message.msg_iovlen = 1;
              w.next_call_waits();
              return moved(sendmsg(w.ends[0], &message, 0));
            },
            drain_socket, nothing, true},
    attempt{"recvmsg", true,
            [](places& w) -> long {
              auto part = one_byte();
              msghdr message{};
              message.msg_iov = &part;
              message.msg_iovlen = 1;
              return moved(recvmsg(w.ends[0], &message, 0));
            },
            [](places& w) { send(w.ends[1], "x", 1, 0); }},
    attempt{"read of a socket", true,
            [](places& w) -> long {
              char c = 0;
              return moved(read(w.ends[0], &c, 1));
            },
            [](places& w) { send(w.ends[1], "x", 1, 0); }},
    attempt{"accept4", true,
            [](places& w) -> long {
              const int fd = accept4(w.listener, nullptr, nullptr, SOCK_CLOEXEC);
              return fd >= 0 ? close(fd) : -1;
            },
            [](places& w) { w.connect_to_listener(); }},
    attempt{"connect", true,
            [](places& w) -> long {
              const auto to = w.address();
              const auto* address = reinterpret_cast<const sockaddr*>(&to);  // NOLINT
              int fd = -1;
              do fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
              while (connect(fd, address, sizeof to) == 0);
              fcntl(fd, F_SETFL, 0);
              w.next_call_waits();
              return connect(fd, address, sizeof to);
            },
            [](places& w) { close(accept(w.listener, nullptr, nullptr)); }, nothing, true},
    attempt{"msgsnd", false,
            [](places& w) -> long {
              struct {
                long type = 1;
                std::array<char, 8192> text{};
              } m;
              while (msgsnd(w.messages, &m, m.text.size(), IPC_NOWAIT) == 0) continue;
              w.next_call_waits();
              return msgsnd(w.messages, &m, m.text.size(), 0);
            },
            nothing, nothing, true},
    attempt{"mq_send", true,
            [](places& w) -> long {
              mq_send(w.queue, "x", 1, 0);
              w.next_call_waits();
              return mq_send(w.queue, "y", 1, 0);
            },
            [](places& w) {
              std::array<char, 8> text{};
              mq_receive(w.queue, text.data(), text.size(), nullptr);
            },
            nothing, true},
    attempt{"mq_timedreceive", true,
            [](places& w) -> long {
              const auto until = ten_seconds_from_now();
              std::array<char, 8> text{};
              w.next_call_waits();
              return moved(mq_timedreceive(w.queue, text.data(), text.size(), nullptr, &until));
            },
            [](places& w) { mq_send(w.queue, "x", 1, 0); }, nothing, true},
    attempt{"lockf", true, [](places& w) -> long { return lockf(w.file, F_LOCK, 0); },
            [](places& w) { lockf(w.file, F_ULOCK, 0); },
            [](places& w) { lockf(w.file, F_LOCK, 0); }},
    attempt{"a wait for a lock of an open file", true,
            [](places& w) -> long {
              struct flock all {};
              all.l_type = F_WRLCK;
              const int own = w.reopened();
              w.next_call_waits();
              return fcntl(own, F_OFD_SETLKW, &all);
            },
            [](places& w) {
              struct flock all {};
              all.l_type = F_UNLCK;
              fcntl(w.file, F_OFD_SETLK, &all);
            },
            [](places& w) {
              struct flock all {};
              all.l_type = F_WRLCK;
              fcntl(w.file, F_OFD_SETLK, &all);
            },
            true},
    attempt{"waitid", true,
            [](places& w) -> long {
              const auto child = fork();
              if (child == 0) {
                while (!w.released) usleep(1000);
                _exit(0);
              }
              w.next_call_waits();
              siginfo_t info{};
              const auto result = waitid(P_PID, static_cast<id_t>(child), &info, WEXITED);
              const auto error = errno;
              w.released = true;
              if (result < 0) waitpid(child, nullptr, 0);
              errno = error;
              return result;
            },
            [](places& w) { w.released = true; }, nothing, true},
};

}  // namespace

TEST_CASE("a handler without SA_RESTART interrupts waits for many, for descriptors and futexes") {
  require_interrupted(attempts);
}

TEST_CASE("a handler with SA_RESTART interrupts waits for many, but not those for one descriptor") {
  require_restarted(attempts);
}

TEST_CASE("a handler without SA_RESTART interrupts waits for room and for messages") {
  require_interrupted(attempts_at_queues);
}

TEST_CASE("a handler with SA_RESTART interrupts System V calls and those with a time-out only") {
  require_restarted(attempts_at_queues);
}

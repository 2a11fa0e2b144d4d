// Which calls a handler interrupts, and which go on with SA_RESTART: signal(7).
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <string>

#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::signalled;

// A place to wait in for each call.
struct places : signalled {
  sem_t closed;
  sem_t prepared;
  std::array<int, 2> empty{};
  std::array<int, 2> full{};
  mqd_t queue = -1;
  int messages = msgget(IPC_PRIVATE, 0600);
  int set = semget(IPC_PRIVATE, 1, 0600);
  int file = -1;
  std::array<int, 2> ends{};
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  std::array<char, 64> fifo{};
  std::atomic<bool> released{false};
  pid_t maker = getpid();

  places() {
    sem_init(&closed, 1, 0);
    sem_init(&prepared, 1, 0);
    if (pipe(empty.data()) != 0 || pipe(full.data()) != 0) return;
    fcntl(full[1], F_SETPIPE_SZ, 4096);
    const std::array<char, 4096> bytes{};
    if (write(full[1], bytes.data(), bytes.size()) != 4096) return;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return;
    const auto own = address();
    if (bind(listener, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) return;  // NOLINT
    listen(listener, 1);
    const auto name = "/forkloom-signals-" + std::to_string(getpid());
    mq_attr one{.mq_flags = 0, .mq_maxmsg = 1, .mq_msgsize = 8, .mq_curmsgs = 0, .__pad = {}};
    queue = mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, &one);
    mq_unlink(name.c_str());
    const auto path = "/dev/shm/forkloom-signals-" + std::to_string(getpid());
    path.copy(fifo.data(), fifo.size() - 1);
    mkfifo(fifo.data(), 0600);
    file = open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    unlink((path + ".lock").c_str());
  }
  places(const places&) = delete;
  ~places() {
    for (const int fd : {empty[0], empty[1], full[0], full[1], file, ends[0], ends[1], listener})
      close(fd);
    mq_close(queue);
    msgctl(messages, IPC_RMID, nullptr);
    semctl(set, 0, IPC_RMID);
    unlink(fifo.data());
  }

  // An abstract name; the tests' own process makes it, so it is the same in all of them.
  sockaddr_un address() const {
    sockaddr_un found{};
    found.sun_family = AF_UNIX;
    const auto text = "forkloom-signals-" + std::to_string(maker);
    text.copy(found.sun_path + 1, sizeof found.sun_path - 2);
    return found;
  }

  void connect_to_listener() const {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const auto to = address();
    connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);  // NOLINT: so is the interface
    close(fd);
  }

  int reopened() const {
    return open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDWR | O_CLOEXEC);
  }
};

struct message {
  long type = 1;
  char text = 'x';
};

// wait: the call, 0 or -1 with errno; it announces itself if it makes other calls before. release:
// lets it end well, if it is restarted. prepare: by the one who releases, before the other one
// waits.
struct attempt {
  const char* name;
  bool restarts;
  long (*wait)(places&);
  void (*release)(places&);
  void (*prepare)(places&) = [](places&) {};
  bool announces_itself = false;
};

constexpr timespec in_ten_seconds{.tv_sec = 10, .tv_nsec = 0};

timespec ten_seconds_from_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += 10;
  return now;
}

const std::array attempts{
    attempt{"read of a pipe", true,
            [](places& w) -> long {
              char c = 0;
              return read(w.empty[0], &c, 1) == 1 ? 0 : -1;
            },
            [](places& w) { [[maybe_unused]] const auto put = write(w.empty[1], "x", 1); }},
    attempt{"write to a full pipe", true,
            [](places& w) -> long { return write(w.full[1], "x", 1) == 1 ? 0 : -1; },
            [](places& w) {
              std::array<char, 4096> bytes;
              [[maybe_unused]] const auto got = read(w.full[0], bytes.data(), bytes.size());
            }},
    attempt{"recv", true,
            [](places& w) -> long {
              char c = 0;
              return recv(w.ends[0], &c, 1, 0) == 1 ? 0 : -1;
            },
            [](places& w) { send(w.ends[1], "x", 1, 0); }},
    attempt{"recv with a time-out", false,
            [](places& w) -> long {
              const timeval long_time{.tv_sec = 10, .tv_usec = 0};
              setsockopt(w.ends[0], SOL_SOCKET, SO_RCVTIMEO, &long_time, sizeof long_time);
              w.next_call_waits();
              char c = 0;
              return recv(w.ends[0], &c, 1, 0) == 1 ? 0 : -1;
            },
            [](places&) {}, [](places&) {}, true},
    attempt{"accept", true,
            [](places& w) -> long {
              const int fd = accept(w.listener, nullptr, nullptr);
              return fd >= 0 ? close(fd) : -1;
            },
            [](places& w) { w.connect_to_listener(); }},
    attempt{"sem_wait", true, [](places& w) -> long { return sem_wait(&w.closed); },
            [](places& w) { sem_post(&w.closed); }},
    attempt{"sem_timedwait", false,
            [](places& w) -> long {
              const auto until = ten_seconds_from_now();
              w.next_call_waits();
              return sem_timedwait(&w.closed, &until);
            },
            [](places&) {}, [](places&) {}, true},
    attempt{"mq_receive", true,
            [](places& w) -> long {
              std::array<char, 8> text{};
              return mq_receive(w.queue, text.data(), text.size(), nullptr) >= 0 ? 0 : -1;
            },
            [](places& w) { mq_send(w.queue, "x", 1, 0); }},
    attempt{"mq_timedsend", true,
            [](places& w) -> long {
              mq_send(w.queue, "x", 1, 0);
              const auto until = ten_seconds_from_now();
              w.next_call_waits();
              return mq_timedsend(w.queue, "y", 1, 0, &until);
            },
            [](places& w) {
              std::array<char, 8> text{};
              mq_receive(w.queue, text.data(), text.size(), nullptr);
            },
            [](places&) {}, true},
    attempt{"msgrcv", false,
            [](places& w) -> long {
              message m;
              return msgrcv(w.messages, &m, 1, 0, 0) >= 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"semop", false,
            [](places& w) -> long {
              sembuf take{0, -1, 0};
              return semop(w.set, &take, 1);
            },
            [](places&) {}},
    attempt{"semtimedop", false,
            [](places& w) -> long {
              sembuf take{0, -1, 0};
              return semtimedop(w.set, &take, 1, &in_ten_seconds);
            },
            [](places&) {}},
    attempt{"flock", true, [](places& w) -> long { return flock(w.reopened(), LOCK_EX); },
            [](places& w) { flock(w.file, LOCK_UN); }, [](places& w) { flock(w.file, LOCK_EX); }},
    attempt{"a wait for a record lock", true,
            [](places& w) -> long {
              struct flock all {};
              all.l_type = F_WRLCK;
              return fcntl(w.file, F_SETLKW, &all);
            },
            [](places& w) {
              struct flock all {};
              all.l_type = F_UNLCK;
              fcntl(w.file, F_SETLK, &all);
            },
            [](places& w) {
              struct flock all {};
              all.l_type = F_WRLCK;
              fcntl(w.file, F_SETLK, &all);
            }},
    attempt{"open of a FIFO for reading", true,
            [](places& w) -> long {
              const int fd = open(w.fifo.data(), O_RDONLY);
              return fd >= 0 ? close(fd) : -1;
            },
            [](places& w) { close(open(w.fifo.data(), O_WRONLY)); }},
    attempt{"open of a FIFO for writing", true,
            [](places& w) -> long {
              const int fd = open(w.fifo.data(), O_WRONLY);
              return fd >= 0 ? close(fd) : -1;
            },
            [](places& w) { close(open(w.fifo.data(), O_RDONLY)); }},
    attempt{"poll", false,
            [](places& w) -> long {
              pollfd one{w.empty[0], POLLIN, 0};
              return poll(&one, 1, -1) >= 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"nanosleep", false, [](places&) -> long { return nanosleep(&in_ten_seconds, nullptr); },
            [](places&) {}},
    attempt{"usleep", false, [](places&) -> long { return usleep(5'000'000); }, [](places&) {}},
    attempt{"clock_nanosleep", false,
            [](places&) -> long {
              errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &in_ten_seconds, nullptr);
              return errno == 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"sigtimedwait", false,
            [](places&) -> long {
              const auto other = forkloom::semantics::set_of({SIGUSR2});
              return sigtimedwait(&other, nullptr, &in_ten_seconds) > 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"waitpid", true,
            [](places& w) -> long {
              const auto child = fork();
              if (child == 0) {
                while (!w.released) usleep(1000);
                _exit(0);
              }
              w.next_call_waits();
              const auto result = waitpid(child, nullptr, 0);
              const auto error = errno;
              w.released = true;
              if (result < 0) waitpid(child, nullptr, 0);
              errno = error;
              return result == child ? 0 : -1;
            },
            [](places& w) { w.released = true; }, [](places&) {}, true},
};

const attempt* tried = nullptr;
int flags_of_handler = 0;

// The one with the handler waits until the other one has prepared.
long tried_with(const attempt& which, int flags) {
  INFO(which.name << (flags != 0 ? " with SA_RESTART" : ""));
  tried = &which;
  flags_of_handler = flags;
  const auto seen = both<places>({
      [](places& w) {
        w.on(SIGUSR1, flags_of_handler);
        sem_wait(&w.prepared);
        if (!tried->announces_itself) w.next_call_waits();
        w.note_error(0, tried->wait(w));
        w.call_has_ended();
        w.note(1, static_cast<long>(w.handled));
      },
      [](places& w) {
        w.await_receiver();
        tried->prepare(w);
        sem_post(&w.prepared);
        kill(w.await_waiting_receiver(), SIGUSR1);
        w.await_handled(1);
        if (flags_of_handler != 0) tried->release(w);
        w.await_its_end();
      },
  });
  CHECK(seen[1] == 1);
  return seen[0];
}

}  // namespace

TEST_CASE("a handler without SA_RESTART interrupts every call that waits") {
  for (const auto& which : attempts) {
    const auto error = tried_with(which, 0);
    INFO(which.name);
    CHECK(error == EINTR);
  }
}

TEST_CASE("a handler with SA_RESTART interrupts only calls that signal(7) says it does") {
  for (const auto& which : attempts) {
    const auto error = tried_with(which, SA_RESTART);
    INFO(which.name);
    CHECK(error == (which.restarts ? 0 : EINTR));
  }
}

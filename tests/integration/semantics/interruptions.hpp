// Calls that wait, each with how it is let go: for tests of what a handler does to them, which is
// told in signal(7).
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

#include <span>
#include <string>

#include "tests/integration/semantics/signals.hpp"

namespace forkloom::semantics {

// A place to wait in for each call.
struct places : signalled {
  static constexpr std::size_t pipe_size = 4096;

  sem_t closed;
  sem_t prepared;
  std::array<int, 2> empty{};
  std::array<int, 2> full{};
  mqd_t queue = -1;
  int messages = msgget(IPC_PRIVATE, 0600);
  int set = semget(IPC_PRIVATE, 1, 0600);
  int file = -1;
  std::array<int, 2> ends{};
  int counter = eventfd(0, 0);
  int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  std::array<char, 64> fifo{};
  std::atomic<bool> released{false};
  std::atomic<int> word{0};
  pid_t maker = getpid();

  places() {
    sem_init(&closed, 1, 0);
    sem_init(&prepared, 1, 0);
    if (pipe(empty.data()) != 0 || pipe(full.data()) != 0) return;
    fcntl(full[1], F_SETPIPE_SZ, static_cast<int>(pipe_size));
    const std::array<char, pipe_size> bytes{};
    if (write(full[1], bytes.data(), bytes.size()) != pipe_size) return;
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
    for (const int fd :
         {empty[0], empty[1], full[0], full[1], file, counter, timer, ends[0], ends[1], listener})
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

inline constexpr timespec in_ten_seconds{.tv_sec = 10, .tv_nsec = 0};

inline timespec ten_seconds_from_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += 10;
  return now;
}

// The handler of that call, and its flags. The bodies are plain functions.
struct trial {
  static inline const attempt* tried = nullptr;
  static inline int flags = 0;
};

// The one with the handler waits until the other one has prepared.
inline long tried_with(const attempt& which, int flags) {
  INFO(which.name << (flags != 0 ? " with SA_RESTART" : ""));
  trial::tried = &which;
  trial::flags = flags;
  const auto seen = both<places>({
      [](places& w) {
        w.on(SIGUSR1, trial::flags);
        sem_wait(&w.prepared);
        if (!trial::tried->announces_itself) w.next_call_waits();
        w.note_error(0, trial::tried->wait(w));
        w.call_has_ended();
        w.note(1, static_cast<long>(w.handled));
      },
      [](places& w) {
        w.await_receiver();
        trial::tried->prepare(w);
        sem_post(&w.prepared);
        kill(w.await_waiting_receiver(), SIGUSR1);
        w.await_handled(1);
        if (trial::flags != 0) trial::tried->release(w);
        w.await_its_end();
      },
  });
  CHECK(seen[1] == 1);
  return seen[0];
}

inline void require_interrupted(std::span<const attempt> attempts) {
  for (const auto& which : attempts) {
    const auto error = tried_with(which, 0);
    INFO(which.name);
    CHECK(error == EINTR);
  }
}

inline void require_restarted(std::span<const attempt> attempts) {
  for (const auto& which : attempts) {
    const auto error = tried_with(which, SA_RESTART);
    INFO(which.name);
    CHECK(error == (which.restarts ? 0 : EINTR));
  }
}

}  // namespace forkloom::semantics

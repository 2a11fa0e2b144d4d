// Worlds for bodies that meet at a pipe or a FIFO, and a way to be sure that the other one waits.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <fstream>
#include <string>

#include "tests/integration/semantics/both.hpp"

namespace forkloom::semantics {

// One body says that its next call will wait; the other goes on when it does, and stays until that
// call has ended, because its own end would wake whoever waits in vain. No time is assumed: a
// process that sleeps is asleep in that call, as it does nothing else that sleeps. Under control a
// nap lets all others run until they wait.
class appointment {
 public:
  void next_call_waits() { waiter_ = ::getpid(); }
  void call_has_ended() { ended_ = true; }

  void await_waiter() const {
    do ::usleep(1000);
    while (waiter_ == 0 || !sleeps(waiter_));
  }

  void await_its_end() const {
    while (!ended_) ::usleep(1000);
  }

 private:
  // proc(5), stat: the state is the letter after the name in parentheses.
  static bool sleeps(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(in, line);
    const auto name_end = line.rfind(") ");
    return name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0;
  }

  std::atomic<pid_t> waiter_{0};
  std::atomic<bool> ended_{false};
};

// A pipe; each body begins with both ends.
struct piped : notes, appointment {
  int in = -1;
  int out = -1;

  piped() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) == 0) in = ends[0], out = ends[1];
  }
  piped(const piped&) = delete;
  piped& operator=(const piped&) = delete;
  ~piped() {
    if (!forked_) close_both();
  }

  // The native parent must not be a reader and a writer itself.
  void forked() {
    close_both();
    forked_ = true;
  }

  void read_only() const { ::close(out); }
  void write_only() const { ::close(in); }

  [[nodiscard]] int capacity() const { return ::fcntl(out, F_GETPIPE_SZ); }

 private:
  void close_both() const {
    ::close(in);
    ::close(out);
  }
  bool forked_ = false;  // the maker's own
};

// The name of a file that no other run of the tests has.
struct named : notes, appointment {
  std::array<char, 64> path{};

  named() {
    const auto text = "/dev/shm/forkloom-semantics-" + std::to_string(::getpid());
    text.copy(path.data(), path.size() - 1);
  }
  named(const named&) = delete;
  named& operator=(const named&) = delete;
  ~named() { ::unlink(path.data()); }

  [[nodiscard]] int open(int flags) const { return ::open(path.data(), flags); }
};

// A FIFO that nobody has opened.
struct fifo : named {
  fifo() { ::mkfifo(path.data(), 0600); }
};

// A value that the compiler cannot warn of: what these calls must refuse, it refuses as well.
template <class T>
T unseen(T value) {
  volatile T hidden = value;
  return hidden;
}

// What a read of one byte says: the byte, 0 at the end of the data, or minus the error.
inline long read_one(int fd) {
  char byte = 0;
  const auto got = ::read(fd, &byte, 1);
  return got == 1 ? byte : got == 0 ? 0 : -errno;
}

}  // namespace forkloom::semantics

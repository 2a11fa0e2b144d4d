// Worlds for bodies of which one gets signals and another one sends them.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>

#include "tests/integration/semantics/peers.hpp"

namespace forkloom::semantics {

// What handlers have seen, in the order in which they began.
struct signalled : notes, appointment {
  static constexpr std::size_t log_capacity = 16;
  struct entry {
    std::atomic<int> signal{0};
    std::atomic<int> code{0};
    std::atomic<int> value{0};
    std::atomic<pid_t> sender{0};
  };
  std::array<entry, log_capacity> log;
  std::atomic<std::size_t> handled{0};
  std::atomic<pid_t> receiver{0};

  // In the process that is to have handlers for this world.
  void receive() {
    here = this;
    receiver = getpid();
  }

  // With SA_SIGINFO or without.
  void on(int signal, int flags = 0, int also_blocked = 0) {
    receive();
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    if (also_blocked != 0) sigaddset(&action.sa_mask, also_blocked);
    action.sa_flags = flags;
    if ((flags & SA_SIGINFO) != 0)
      action.sa_sigaction = [](int number, siginfo_t* info, void*) {
        here->add(number, info->si_code, info->si_value.sival_int, info->si_pid);
      };
    else
      action.sa_handler = [](int number) { here->add(number, 0, 0, 0); };
    sigaction(signal, &action, nullptr);
  }

  void await_receiver() const {
    while (receiver == 0) usleep(1000);
  }
  void await_handled(std::size_t count) const {
    while (handled < count) usleep(1000);
  }
  pid_t await_waiting_receiver() const {
    await_waiter();
    return receiver;
  }

 private:
  void add(int signal, int code, int value, pid_t sender) {
    const auto at = handled++;
    if (at >= log_capacity) return;
    log[at].signal = signal;
    log[at].code = code;
    log[at].value = value;
    log[at].sender = sender;
  }

  static inline signalled* here = nullptr;
};

inline sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

inline void block(std::initializer_list<int> signals) {
  const auto set = set_of(signals);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

inline void unblock(std::initializer_list<int> signals) {
  const auto set = set_of(signals);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace forkloom::semantics

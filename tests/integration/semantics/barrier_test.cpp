#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::appointment;
using forkloom::semantics::both;
using forkloom::semantics::notes;

constexpr int serial = PTHREAD_BARRIER_SERIAL_THREAD;
constexpr unsigned rounds = 3;

// It is not destroyed with the world: after a death at the barrier that would wait for ever.
template <unsigned Size>
struct barrier_for : notes, appointment {
  pthread_barrier_t barrier;
  sem_t destroyed;
  std::array<std::atomic<unsigned>, rounds> came{};
  std::array<std::atomic<int>, rounds> serials{};

  barrier_for() {
    pthread_barrierattr_t a;
    pthread_barrierattr_init(&a);
    pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    note(0, pthread_barrier_init(&barrier, &a, Size));
    pthread_barrierattr_destroy(&a);
    sem_init(&destroyed, 1, 0);
  }

  void meet(std::size_t slot) {
    for (std::size_t round = 0; round < rounds; ++round) {
      ++came.at(round);
      const auto result = pthread_barrier_wait(&barrier);
      if (result == serial) ++serials.at(round);
      if ((result != serial && result != 0) || came.at(round) != Size) return note(slot, -1);
    }
    note(slot, 0);
  }
};

using for_one = barrier_for<1>;
using for_two = barrier_for<2>;
using for_three = barrier_for<3>;

pid_t fork_waiter(for_two& w) {
  const auto child = fork();
  if (child == 0) {
    w.next_call_waits();
    pthread_barrier_wait(&w.barrier);
    _exit(0);
  }
  w.await_waiter();
  return child;
}

int kill_and_reap(pid_t child) {
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("nobody passes a barrier before all have come, round after round") {
  const auto seen =
      both<for_three>({[](for_three& w) { w.meet(1); }, [](for_three& w) { w.meet(2); },
                       [](for_three& w) { w.meet(3); }});
  for (const std::size_t slot : {1U, 2U, 3U}) CHECK(seen[slot] == 0);
}

TEST_CASE("exactly one task of each round is told that it is the serial one") {
  const auto seen = both<for_two>({[](for_two& w) {
                                     w.meet(1);
                                     pthread_barrier_wait(&w.barrier);
                                     for (std::size_t round = 0; round < rounds; ++round)
                                       w.note(3 + round, w.serials.at(round));
                                   },
                                   [](for_two& w) {
                                     w.meet(2);
                                     pthread_barrier_wait(&w.barrier);
                                   }});
  for (const std::size_t slot : {3U, 4U, 5U}) CHECK(seen[slot] == 1);
}

TEST_CASE("more tasks than a barrier is for pass it in groups") {
  constexpr auto pass = [](for_two& w) {
    if (pthread_barrier_wait(&w.barrier) == serial) ++w.serials[0];
    if (++w.came[0] == 4) w.note(1, w.serials[0]);
  };
  const auto seen = both<for_two>({pass, pass, pass, pass});
  CHECK(seen[1] == 2);
}

TEST_CASE("a barrier for one lets everybody pass as the serial one, and one for none is refused") {
  const auto seen = both<for_one>({[](for_one& w) {
    w.note(1, pthread_barrier_wait(&w.barrier));
    w.note(2, pthread_barrier_wait(&w.barrier));
    w.note(3, pthread_barrier_destroy(&w.barrier));
    w.note(4, pthread_barrier_init(&w.barrier, nullptr, 0));
    w.note(5, pthread_barrier_init(&w.barrier, nullptr, 1));
    w.note(6, pthread_barrier_wait(&w.barrier));
  }});
  CHECK(seen[1] == serial);
  CHECK(seen[2] == serial);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[6] == serial);
}

TEST_CASE("a barrier can be destroyed as soon as one task has passed it") {
  constexpr auto pass = [](for_two& w) {
    if (pthread_barrier_wait(&w.barrier) != serial) {
      sem_wait(&w.destroyed);
      return;
    }
    w.note(1, pthread_barrier_destroy(&w.barrier));
    sem_post(&w.destroyed);
  };
  const auto seen = both<for_two>({pass, pass});
  CHECK(seen[1] == 0);
}

TEST_CASE("a barrier that was made again begins a round of its own") {
  const auto seen = both<for_two>({[](for_two& w) {
                                     if (pthread_barrier_wait(&w.barrier) != serial) return;
                                     pthread_barrier_destroy(&w.barrier);
                                     w.note(1, pthread_barrier_init(&w.barrier, nullptr, 1));
                                     w.note(2, pthread_barrier_wait(&w.barrier));
                                   },
                                   [](for_two& w) {
                                     if (pthread_barrier_wait(&w.barrier) != serial) return;
                                     pthread_barrier_destroy(&w.barrier);
                                     w.note(1, pthread_barrier_init(&w.barrier, nullptr, 1));
                                     w.note(2, pthread_barrier_wait(&w.barrier));
                                   }});
  CHECK(seen[1] == 0);
  CHECK(seen[2] == serial);
}

TEST_CASE("a task that dies while it waits at a barrier has come to it all the same") {
  const auto seen = both<for_two>({[](for_two& w) {
    w.note(1, kill_and_reap(fork_waiter(w)));
    w.note(2, pthread_barrier_wait(&w.barrier));
  }});
  CHECK(seen[1] == SIGKILL);
  CHECK(seen[2] == serial);
}

TEST_CASE("a barrier that is made anew knows nothing of who came to the old one") {
  const auto seen = both<for_two>({[](for_two& w) {
    kill_and_reap(fork_waiter(w));
    pthread_barrierattr_t shared;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&w.barrier, &shared, 2);
    if (fork() == 0) {
      if (pthread_barrier_wait(&w.barrier) == serial) ++w.serials[0];
      _exit(0);
    }
    if (pthread_barrier_wait(&w.barrier) == serial) ++w.serials[0];
    wait(nullptr);
    w.note(1, w.serials[0]);
  }});
  CHECK(seen[1] == 1);
}

TEST_CASE("whoever destroys a barrier waits for those that have not left it") {
  const auto seen = both<for_two>({[](for_two& w) {
    kill_and_reap(fork_waiter(w));
    const auto child = fork();
    if (child == 0) {
      w.next_call_waits();
      pthread_barrier_destroy(&w.barrier);
      _exit(0);
    }
    w.await_waiter();
    w.note(1, kill_and_reap(child));
  }});
  CHECK(seen[1] == SIGKILL);
}

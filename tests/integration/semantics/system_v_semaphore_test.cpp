#include <signal.h>
#include <sys/sem.h>

#include <vector>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

union semun {
  int val;
  semid_ds* buf;
  unsigned short* array;
};

// A set of two semaphores, both zero.
struct set : notes {
  int id = semget(IPC_PRIVATE, 2, 0600);
  set() = default;
  set(const set&) = delete;
  ~set() { semctl(id, 0, IPC_RMID); }

  int add(int number, int change, int flags = 0) const {
    sembuf one{static_cast<unsigned short>(number), static_cast<short>(change),
               static_cast<short>(flags)};
    return semop(id, &one, 1);
  }
  int add_within(int number, int change, const timespec& time_out) const {
    sembuf one{static_cast<unsigned short>(number), static_cast<short>(change), 0};
    return semtimedop(id, &one, 1, &time_out);
  }
  int all(std::vector<sembuf> operations) const {
    return semop(id, operations.data(), operations.size());
  }
  [[nodiscard]] int value(int number) const { return semctl(id, number, GETVAL); }
  void put(int number, int value) const { semctl(id, number, SETVAL, semun{.val = value}); }

  // Until that many wait for a value to rise, or to become zero.
  void await(int command, int number, int count) const {
    while (semctl(id, number, command) != count) sched_yield();
  }
};

struct nothing_else : notes {};

}  // namespace

TEST_CASE("a process that takes from an empty System V semaphore waits for a post") {
  const auto seen = both<set>({
      [](set& w) { w.note_error(0, w.add(0, -2)); },
      [](set& w) {
        w.note_error(1, w.add(0, 1));
        w.note_error(2, w.add(0, 1));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("a process waits until a System V semaphore becomes zero") {
  const auto seen = both<set>({
      [](set& w) {
        w.put(0, 1);
        w.add(1, 1);
        w.note_error(0, w.add(0, 0));
        w.note(1, w.value(0));
      },
      [](set& w) {
        w.add(1, -1);
        w.note_error(2, w.add(0, -1));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("the operations of one call are done all together or not at all") {
  const auto seen = both<set>({[](set& w) {
    w.put(0, 1);
    w.note_error(0, w.all({{0, -1, IPC_NOWAIT}, {1, -1, IPC_NOWAIT}}));
    w.note(1, w.value(0));
    w.put(1, 1);
    w.note_error(2, w.all({{0, -1, 0}, {1, -1, 0}}));
    w.note(3, w.value(0));
    w.note(4, w.value(1));
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("the operations of one call are looked at in their order") {
  const auto seen = both<set>({[](set& w) {
    w.note_error(0, w.all({{0, 0, 0}, {0, 2, 0}, {0, -1, 0}}));
    w.note(1, w.value(0));
    w.note_error(2, w.all({{0, 0, IPC_NOWAIT}, {0, 1, 0}}));
    w.note(3, w.value(0));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EAGAIN);
  CHECK(seen[3] == 1);
}

TEST_CASE("IPC_NOWAIT counts if it belongs to the first operation that stands in the way") {
  const auto seen = both<set>({
      [](set& w) {
        w.note_error(0, w.all({{1, 1, 0}, {0, -1, IPC_NOWAIT}, {1, -2, 0}}));
        w.note(1, w.value(1));
        w.note_error(2, w.all({{0, -1, 0}, {1, 0, IPC_NOWAIT}}));
      },
      [](set& w) {
        w.await(GETNCNT, 0, 1);
        w.note_error(3, w.add(0, 1));
      },
  });
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("a System V semaphore counts those that wait for it") {
  const auto seen = both<set>({
      [](set& w) { w.note_error(0, w.add(0, -1)); },
      [](set& w) { w.note_error(1, w.add(0, -2)); },
      [](set& w) {
        w.add(1, 1);
        w.note_error(2, w.add(1, 0));
      },
      [](set& w) {
        w.await(GETNCNT, 0, 2);
        w.await(GETZCNT, 1, 1);
        w.note(3, semctl(w.id, 0, GETZCNT));
        w.note(4, semctl(w.id, 1, GETNCNT));
        w.add(0, 3);
        w.note(5, semctl(w.id, 0, GETNCNT));
        w.add(1, -1);
        w.note(6, semctl(w.id, 1, GETZCNT));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
}

TEST_CASE("a waiter for several semaphores counts for the one that stands in its way") {
  const auto seen = both<set>({
      [](set& w) {
        w.put(0, 1);
        w.note_error(0, w.all({{0, -1, 0}, {1, -1, 0}}));
      },
      [](set& w) {
        w.await(GETNCNT, 1, 1);
        w.note(1, semctl(w.id, 0, GETNCNT));
        w.note(2, w.value(0));
        w.note_error(3, w.add(1, 1));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}

TEST_CASE("what a process did with SEM_UNDO is taken back when it ends") {
  const auto seen = both<set>({
      [](set& w) {
        w.put(0, 1);
        w.note_error(0, w.add(0, -1, SEM_UNDO));
        w.add(1, 1);
        _exit(0);
      },
      [](set& w) {
        w.add(1, -1);
        w.note_error(1, w.add(0, -1));
        w.note(2, w.value(0));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("what a process did with SEM_UNDO is taken back when it is killed") {
  const auto seen = both<set>({
                                  [](set& w) {
                                    w.put(0, 1);
                                    w.note_error(0, w.add(0, -1, SEM_UNDO));
                                    w.add(1, 1);
                                    kill(getpid(), SIGKILL);
                                  },
                                  [](set& w) {
                                    w.add(1, -1);
                                    w.note_error(1, w.add(0, -1));
                                  },
                              },
                              forkloom::semantics::deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("setting a value lets waiters go on") {
  const auto seen = both<set>({
      [](set& w) { w.note_error(0, w.add(0, -1)); },
      [](set& w) {
        w.await(GETNCNT, 0, 1);
        w.note_error(1, semctl(w.id, 0, SETVAL, semun{.val = 1}));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("setting all values lets waiters go on, and all can be read at once") {
  const auto seen = both<set>({
      [](set& w) {
        w.note_error(0, w.add(1, -3));
        unsigned short values[2] = {9, 9};
        w.note_error(1, semctl(w.id, 0, GETALL, semun{.array = values}));
        w.note(2, values[0]);
        w.note(3, values[1]);
      },
      [](set& w) {
        w.await(GETNCNT, 1, 1);
        unsigned short values[2] = {7, 5};
        w.note_error(4, semctl(w.id, 0, SETALL, semun{.array = values}));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[2] == 7);
  CHECK(seen[3] == 2);
  CHECK(seen[4] == 0);
}

TEST_CASE("who waits for a set that is removed is told EIDRM, and who comes later EINVAL") {
  const auto seen = both<set>({
      [](set& w) {
        w.note_error(0, w.add(0, -1));
        w.note_error(1, w.add(0, -1));
      },
      [](set& w) {
        w.await(GETNCNT, 0, 1);
        w.note_error(2, semctl(w.id, 0, IPC_RMID));
        w.note_error(3, semctl(w.id, 0, GETVAL));
      },
  });
  CHECK(seen[0] == EIDRM);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == EINVAL);
}

TEST_CASE("a timed semop that nobody lets go on ends with EAGAIN") {
  const auto seen = both<set>({[](set& w) {
    w.note_error(0, w.add_within(0, -1, {.tv_sec = 0, .tv_nsec = 1'000'000}));
    w.note_error(1, w.add_within(0, -1, {.tv_sec = 0, .tv_nsec = 0}));
    w.note(2, semctl(w.id, 0, GETNCNT));
    w.note_error(3, w.add_within(0, 1, {.tv_sec = 0, .tv_nsec = 0}));
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("a timed semop goes on if it is let to before its time is over") {
  const auto seen = both<set>({
      [](set& w) { w.note_error(0, w.add_within(0, -1, {.tv_sec = 3600, .tv_nsec = 0})); },
      [](set& w) { w.note_error(1, w.add(0, 1)); },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("a semop with a time-out out of range says EINVAL, also where it need not wait") {
  const auto seen = both<set>({[](set& w) {
    w.note_error(0, w.add_within(0, 1, {.tv_sec = 0, .tv_nsec = 1'000'000'000}));
    w.note_error(1, w.add_within(0, 1, {.tv_sec = -1, .tv_nsec = 0}));
    w.note(2, w.value(0));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == 0);
}

TEST_CASE("semop refuses what cannot be done") {
  const auto seen = both<set>({[](set& w) {
    w.note_error(0, w.all(std::vector<sembuf>(501, {0, 0, 0})));
    w.note_error(1, w.add(2, 1));
    w.note_error(2, w.all({}));
    sembuf one{0, 1, 0};
    w.note_error(3, semop(-1, &one, 1));
    w.note_error(4, w.all({{0, 32767, 0}, {0, 1, 0}}));
    w.note_error(5, semop(w.id, nullptr, 1));
    w.note(6, w.value(0));
  }});
  CHECK(seen[0] == E2BIG);
  CHECK(seen[1] == EFBIG);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == ERANGE);
  CHECK(seen[5] == EFAULT);
  CHECK(seen[6] == 0);
}

TEST_CASE("as many operations as the system allows are tried to the last") {
  const auto seen = both<set>({[](set& w) {
    std::vector<sembuf> operations(500, {0, 0, IPC_NOWAIT});
    operations.back() = {1, -1, IPC_NOWAIT};
    w.note_error(0, w.all(operations));
    w.add(1, 1);
    w.note_error(1, w.all(operations));
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 0);
}

TEST_CASE("semctl refuses a value and a number out of range") {
  const auto seen = both<set>({[](set& w) {
    w.note_error(0, semctl(w.id, 0, SETVAL, semun{.val = 32768}));
    w.note_error(1, semctl(w.id, 2, GETVAL));
    w.note_error(2, semctl(w.id, 0, 999));
    w.note_error(3, semctl(w.id, 2, GETNCNT));
  }});
  CHECK(seen[0] == ERANGE);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EINVAL);
}

TEST_CASE("a semaphore knows the process that changed it last, also if that had to wait") {
  const auto seen = both<set>({
      [](set& w) {
        w.add(0, -1);
        w.note(0, semctl(w.id, 0, GETPID) == getpid());
      },
      [](set& w) { w.add(0, 1); },
  });
  CHECK(seen[0] == 1);
}

TEST_CASE("a set knows that it was used, and when, on the clock that everybody reads") {
  const auto seen = both<set>({[](set& w) {
    const auto start = time(nullptr);
    semid_ds status{};
    w.note_error(0, semctl(w.id, 0, IPC_STAT, semun{.buf = &status}));
    w.note(1, status.sem_otime == 0);
    w.note(2, static_cast<long>(status.sem_nsems));
    w.add(0, 1);
    semctl(w.id, 0, IPC_STAT, semun{.buf = &status});
    // The kernel's clock of seconds may lag behind by a tick.
    w.note(3, status.sem_otime >= start - 1 && status.sem_otime <= time(nullptr));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 2);
  CHECK(seen[3] == 1);
}

TEST_CASE("a set is made once for a key, found by it, and gone after it was removed") {
  const auto seen = both<nothing_else>({[](nothing_else& w) {
    constexpr key_t key = 0x464c53;
    w.note_error(0, semget(key, 1, 0));
    const int id = semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
    w.note(1, id >= 0);
    w.note_error(2, semget(key, 1, IPC_CREAT | IPC_EXCL | 0600));
    w.note(3, semget(key, 1, IPC_CREAT | 0600) == id);
    w.note_error(4, semget(key, 2, 0));
    w.note_error(5, semctl(id, 0, IPC_RMID));
    w.note_error(6, semget(key, 1, 0));
    w.note_error(7, semget(IPC_PRIVATE, 0, 0600));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EEXIST);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == ENOENT);
  CHECK(seen[7] == EINVAL);
}

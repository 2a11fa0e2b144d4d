#include <pthread.h>
#include <sys/shm.h>

#include <new>

#include "forkloom/shared.hpp"
#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

constexpr std::size_t page = 4096;

struct segment : notes {
  int id = shmget(IPC_PRIVATE, 2 * page, 0600);
  segment() = default;
  segment(const segment&) = delete;
  ~segment() { shmctl(id, IPC_RMID, nullptr); }

  [[nodiscard]] char* attach(int flags = 0) const {
    return static_cast<char*>(shmat(id, nullptr, flags));
  }
  [[nodiscard]] long attached() const {
    shmid_ds status{};
    return shmctl(id, IPC_STAT, &status) == 0 ? static_cast<long>(status.shm_nattch) : -1;
  }
};

// A lock and a counter in a segment that each process attaches for itself.
struct guarded {
  pthread_mutex_t lock;
  forkloom::shared<int> count;
};

struct guarded_segment : segment {
  guarded_segment() {
    auto* made = new (attach()) guarded;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&made->lock, &attributes);
    shmdt(made);
  }

  void count_up() const {
    auto* here = reinterpret_cast<guarded*>(attach());
    pthread_mutex_lock(&here->lock);
    ++here->count;
    pthread_mutex_unlock(&here->lock);
    shmdt(here);
  }
};

struct nothing_else : notes {};

}  // namespace

TEST_CASE("what one process writes into a segment another reads at its own address") {
  const auto seen = both<guarded_segment>({
      [](guarded_segment& w) { w.count_up(); },
      [](guarded_segment& w) {
        // So that it lies elsewhere than in the other process.
        auto* first = w.attach();
        w.count_up();
        auto* here = reinterpret_cast<guarded*>(first);
        while (here->count.load() != 2) sched_yield();
        w.note(0, here->count.load());
        w.note_error(1, shmdt(first));
      },
  });
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 0);
}

TEST_CASE("a mutex in a segment is one lock, wherever the segment is attached") {
  const auto seen = both<guarded_segment>({[](guarded_segment& w) {
    auto* one = reinterpret_cast<guarded*>(w.attach());
    auto* other = reinterpret_cast<guarded*>(w.attach());
    w.note(0, one != other);
    w.note(1, pthread_mutex_lock(&one->lock));
    w.note(2, pthread_mutex_trylock(&other->lock));
    w.note(3, pthread_mutex_unlock(&other->lock));
    shmdt(one);
    w.note(4, pthread_mutex_trylock(&other->lock));
    pthread_mutex_unlock(&other->lock);
    shmdt(other);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EBUSY);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("a process that waits for a mutex in a segment is woken by another that attached it") {
  const auto seen = both<guarded_segment>({
      [](guarded_segment& w) {
        for (int i = 0; i < 3; ++i) w.count_up();
      },
      [](guarded_segment& w) {
        auto* spare = w.attach();
        for (int i = 0; i < 3; ++i) w.count_up();
        shmdt(spare);
      },
      [](guarded_segment& w) {
        auto* here = reinterpret_cast<guarded*>(w.attach());
        while (here->count.load() != 6) sched_yield();
        w.note(0, here->count.load());
        shmdt(here);
      },
  });
  CHECK(seen[0] == 6);
}

TEST_CASE("another segment at the same address is other memory") {
  const auto seen = both<nothing_else>({[](nothing_else& w) {
    const int one = shmget(IPC_PRIVATE, page, 0600);
    const int other = shmget(IPC_PRIVATE, page, 0600);
    auto* first = shmat(one, nullptr, 0);
    auto* value = new (first) forkloom::shared<int>(1);
    value->store(5);
    shmdt(first);
    auto* second = shmat(other, first, 0);
    w.note(0, second == first);
    w.note(1, static_cast<forkloom::shared<int>*>(second)->load());
    shmdt(second);
    shmctl(one, IPC_RMID, nullptr);
    shmctl(other, IPC_RMID, nullptr);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
}

TEST_CASE("a segment counts those that have it attached, and a death detaches") {
  const auto seen = both<segment>({
      [](segment& w) {
        w.note(0, w.attach() != nullptr);
        _exit(0);
      },
      [](segment& w) {
        while (w.seen[0] == notes::nothing) sched_yield();
        while (w.attached() != 0) sched_yield();
        auto* one = w.attach();
        auto* other = w.attach();
        w.note(1, w.attached());
        shmdt(one);
        w.note(2, w.attached());
        shmdt(other);
        w.note(3, w.attached());
      },
  });
  CHECK(seen[1] == 2);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}

TEST_CASE("a segment that is removed stays until the last process detaches it") {
  const auto seen = both<segment>({[](segment& w) {
    auto* here = w.attach();
    w.note_error(0, shmctl(w.id, IPC_RMID, nullptr));
    here[0] = 42;
    auto* again = w.attach();
    w.note(1, again[0]);
    shmdt(again);
    shmdt(here);
    w.note(2, shmat(w.id, nullptr, 0) == reinterpret_cast<void*>(-1) ? errno : 0);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 42);
  CHECK(seen[2] == EINVAL);
}

TEST_CASE("attaching and detaching refuse what cannot be") {
  const auto seen = both<segment>({[](segment& w) {
    const auto error = [](const void* address) {
      return address == reinterpret_cast<void*>(-1) ? errno : 0;
    };
    w.note(0, error(shmat(-1, nullptr, 0)));
    w.note(1, error(shmat(w.id, reinterpret_cast<void*>(1), 0)));
    w.note_error(2, shmdt(&w));
    auto* here = w.attach();
    w.note_error(3, shmdt(here + 1));
    w.note_error(4, shmdt(here));
    w.note_error(5, shmdt(here));
    w.note(6, error(w.attach(SHM_RDONLY)));
    w.note_error(7, shmctl(w.id, 999, nullptr));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == EINVAL);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == EINVAL);
}

TEST_CASE("a segment is made once for a key, found by it, and gone after it was removed") {
  const auto seen = both<nothing_else>({[](nothing_else& w) {
    constexpr key_t key = 0x464c4d;
    w.note_error(0, shmget(key, page, 0));
    const int id = shmget(key, page, IPC_CREAT | IPC_EXCL | 0600);
    w.note(1, id >= 0);
    w.note_error(2, shmget(key, page, IPC_CREAT | IPC_EXCL | 0600));
    w.note(3, shmget(key, 0, 0) == id);
    w.note_error(4, shmget(key, 2 * page, 0));
    w.note_error(5, shmctl(id, IPC_RMID, nullptr));
    w.note_error(6, shmget(key, page, 0));
    w.note_error(7, shmget(IPC_PRIVATE, 0, 0600));
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

// Whoever holds a lock may be killed at any moment.
//
// Broken: a plain mutex stays locked for ever, and nobody posts a semaphore in the place of who
// took it. Correct: a robust mutex passes on to the next, who mends what is half done; a System V
// semaphore that was taken with SEM_UNDO is given back by the kernel.
#include <sys/sem.h>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

namespace {

using forkloom::ipc::mutex;

// Two halves that must be equal whenever nobody holds the lock.
struct accounts {
  explicit accounts(mutex::robustness death) : lock(mutex::kind::normal, death) {}

  mutex lock;
  forkloom::shared<int> debit{10};
  forkloom::shared<int> credit{10};

  void post_entry() {
    if (lock.lock() == mutex::acquired::owner_died) {
      credit = debit.load();
      lock.consistent();
    }
    forkloom::expect(debit == credit.load());
    ++debit;
    ++credit;
    lock.unlock();
  }
};

}  // namespace

FORKLOOM_SCENARIO("a mutex whose owner may be killed", "[faults][kill][mutex][deadlock][broken]",
                  .faults = "kill:1", .expects = {forkloom::violation_kind::deadlock}) {
  auto& books = scenario.make<accounts>("books", mutex::robustness::stalled);
  scenario.processes("clerk", 2, [&] { books.post_entry(); });
}

FORKLOOM_SCENARIO("a robust mutex whose owner may be killed", "[faults][kill][mutex][correct]",
                  .faults = "kill:1") {
  auto& books = scenario.make<accounts>("books", mutex::robustness::robust);
  scenario.processes("clerk", 2, [&] { books.post_entry(); });
}

FORKLOOM_SCENARIO("a semaphore whose holder may be killed",
                  "[faults][kill][semaphore][deadlock][broken]", .faults = "kill:1",
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& door = scenario.make<forkloom::ipc::semaphore>("door", 1U);
  scenario.processes("guest", 2, [&] {
    door.acquire();
    door.release();
  });
}

namespace {

// A door that the kernel opens for who dies behind it.
class undone_door {
 public:
  undone_door() { open(0); }
  undone_door(const undone_door&) = delete;
  undone_door& operator=(const undone_door&) = delete;
  ~undone_door() { ::semctl(id_, 0, IPC_RMID); }

  void close() { change(-1, SEM_UNDO); }
  void open(short flags = SEM_UNDO) { change(1, flags); }

 private:
  void change(short by, short flags) const {
    sembuf one{.sem_num = 0, .sem_op = by, .sem_flg = flags};
    forkloom::expect(::semop(id_, &one, 1) == 0);
  }

  int id_ = ::semget(IPC_PRIVATE, 1, 0600);
};

}  // namespace

FORKLOOM_SCENARIO("a semaphore that is undone for a holder who is killed",
                  "[faults][kill][system_v][semaphore][correct]", .faults = "kill:1") {
  auto& door = scenario.make<undone_door>("door");
  scenario.processes("guest", 2, [&] {
    door.close();
    door.open();
  });
}

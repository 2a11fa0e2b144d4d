// What readers and writers do to each other through one read-write lock. POSIX has no upgrade: who
// reads and asks to write waits for itself. Which of a reader that comes and a writer that waits
// goes first is up to the lock's kind, and each answer has a price: readers first can starve the
// writer, writers first can lock out a reader that reads twice.
#include <pthread.h>

#include <mutex>
#include <shared_mutex>

#include "forkloom/scenario.hpp"

namespace {

class rwlock {
 public:
  enum class prefers : int {
    readers = PTHREAD_RWLOCK_PREFER_READER_NP,
    writers = PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP,
  };

  explicit rwlock(prefers whom = prefers::readers) {
    pthread_rwlockattr_t attributes;
    ::pthread_rwlockattr_init(&attributes);
    ::pthread_rwlockattr_setkind_np(&attributes, static_cast<int>(whom));
    ::pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_rwlock_init(&lock_, &attributes);
    ::pthread_rwlockattr_destroy(&attributes);
  }
  rwlock(const rwlock&) = delete;
  rwlock& operator=(const rwlock&) = delete;
  ~rwlock() { ::pthread_rwlock_destroy(&lock_); }

  void lock() { ::pthread_rwlock_wrlock(&lock_); }
  void unlock() { ::pthread_rwlock_unlock(&lock_); }
  void lock_shared() { ::pthread_rwlock_rdlock(&lock_); }
  void unlock_shared() { ::pthread_rwlock_unlock(&lock_); }

 private:
  pthread_rwlock_t lock_;
};

constexpr unsigned readers = 3;
constexpr int visits = 20;

// A catalogue that whoever finds it missing makes, once.
struct catalogue {
  rwlock lock;
  forkloom::shared<int> made{0};
};

// Reads through a function that locks for itself, as it does not know who calls it.
struct ledger {
  explicit ledger(rwlock::prefers whom) : lock(whom) {}

  rwlock lock;
  forkloom::shared<int> balance{0};

  int read() {
    const std::shared_lock guard{lock};
    return balance;
  }

  void read_twice() {
    const std::shared_lock guard{lock};
    const auto before = read();
    forkloom::expect(forkloom::that(before) == balance.load());
  }

  void write() {
    const std::scoped_lock guard{lock};
    ++balance;
  }
};

}  // namespace

FORKLOOM_SCENARIO("readers that ask to write without leaving", "[rwlock][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& books = scenario.make<catalogue>("catalogue");
  scenario.processes("librarian", 2, [&] {
    books.lock.lock_shared();
    if (books.made == 0) {
      books.lock.lock();
      ++books.made;
    }
    books.lock.unlock();
  });
}

FORKLOOM_SCENARIO("readers that leave to write, and do not look again",
                  "[rwlock][expectation][broken]",
                  .expects = {forkloom::violation_kind::expectation}) {
  auto& books = scenario.make<catalogue>("catalogue");
  scenario.processes("librarian", 2, [&] {
    std::shared_lock reading{books.lock};
    if (books.made != 0) return;
    reading.unlock();
    const std::scoped_lock writing{books.lock};
    ++books.made;
  });
  scenario.finally([&] { forkloom::expect(books.made == 1); });
}

FORKLOOM_SCENARIO("readers that leave to write, and look again", "[rwlock][correct]") {
  auto& books = scenario.make<catalogue>("catalogue");
  scenario.processes("librarian", 2, [&] {
    std::shared_lock reading{books.lock};
    if (books.made != 0) return;
    reading.unlock();
    const std::scoped_lock writing{books.lock};
    if (books.made == 0) ++books.made;
  });
  scenario.finally([&] { forkloom::expect(books.made == 1); });
}

FORKLOOM_SCENARIO("a reader that reads twice while a writer comes first",
                  "[rwlock][deadlock][broken]", .expects = {forkloom::violation_kind::deadlock}) {
  auto& accounts = scenario.make<ledger>("ledger", rwlock::prefers::writers);
  scenario.process("reader", [&] { accounts.read_twice(); });
  scenario.process("writer", [&] { accounts.write(); });
}

FORKLOOM_SCENARIO("a reader that reads twice while readers come first", "[rwlock][correct]") {
  auto& accounts = scenario.make<ledger>("ledger", rwlock::prefers::readers);
  scenario.process("reader", [&] { accounts.read_twice(); });
  scenario.process("writer", [&] { accounts.write(); });
}

FORKLOOM_SCENARIO("a writer behind a lock that prefers readers", "[rwlock][starvation][broken]",
                  .bypass_max = 8, .expects = {forkloom::violation_kind::starvation}) {
  auto& accounts = scenario.make<ledger>("ledger", rwlock::prefers::readers);
  scenario.processes("reader", readers, [&] {
    for (int i = 0; i < visits; ++i) accounts.read();
  });
  scenario.process("writer", [&] { accounts.write(); });
}

FORKLOOM_SCENARIO("a writer behind a lock that prefers writers", "[rwlock][correct]",
                  .bypass_max = 8) {
  auto& accounts = scenario.make<ledger>("ledger", rwlock::prefers::writers);
  scenario.processes("reader", readers, [&] {
    for (int i = 0; i < visits; ++i) accounts.read();
  });
  scenario.process("writer", [&] { accounts.write(); });
}

// Boost.Interprocess's synchronisation objects in shared memory: those that are made of pthread
// calls, and those that spin.
#include <sched.h>
#include <unistd.h>

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/detail/robust_emulation.hpp>
#include <boost/interprocess/sync/interprocess_condition.hpp>
#include <boost/interprocess/sync/interprocess_condition_any.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/interprocess_recursive_mutex.hpp>
#include <boost/interprocess/sync/interprocess_semaphore.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>
#include <boost/interprocess/sync/interprocess_upgradable_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/interprocess/sync/sharable_lock.hpp>
#include <boost/interprocess/sync/spin/condition.hpp>
#include <boost/interprocess/sync/spin/mutex.hpp>
#include <boost/interprocess/sync/spin/recursive_mutex.hpp>
#include <boost/interprocess/sync/spin/semaphore.hpp>
#include <filesystem>
#include <string>
#include <system_error>

#include "tests/integration/semantics/both.hpp"
#include "tests/integration/semantics/milestone.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::milestone;
using forkloom::semantics::notes;
namespace bip = boost::interprocess;
namespace spin = boost::interprocess::ipcdetail;

template <class Lock>
struct guarded : notes {
  Lock lock;
  milestone first;
  milestone second;
  milestone third;
  volatile long count = 0;

  // Gives others every chance to come between reading and writing.
  void increment() {
    const bip::scoped_lock<Lock> guard(lock);
    const long before = count;
    ::sched_yield();
    count = before + 1;
  }
};

boost::posix_time::ptime long_past() {
  return boost::posix_time::ptime(boost::gregorian::date(2001, 1, 1));
}

boost::posix_time::ptime soon() {
  return boost::posix_time::microsec_clock::universal_time() + boost::posix_time::milliseconds(20);
}

}  // namespace

TEMPLATE_TEST_CASE("a Boost lock keeps processes apart", "", bip::interprocess_mutex,
                   bip::interprocess_recursive_mutex, bip::interprocess_sharable_mutex,
                   bip::interprocess_upgradable_mutex, spin::spin_mutex,
                   spin::spin_recursive_mutex) {
  using world = guarded<TestType>;
  const auto seen = both<world>({
      [](world& w) {
        for (int i = 0; i < 3; ++i) w.increment();
        w.first.reach();
      },
      [](world& w) {
        for (int i = 0; i < 3; ++i) w.increment();
        w.first.await();
        w.note(0, w.count);
      },
  });
  CHECK(seen[0] == 6);
}

TEMPLATE_TEST_CASE("a Boost lock that is taken refuses to be tried, and times out", "",
                   bip::interprocess_mutex, bip::interprocess_recursive_mutex,
                   bip::interprocess_sharable_mutex, bip::interprocess_upgradable_mutex,
                   spin::spin_mutex, spin::spin_recursive_mutex) {
  using world = guarded<TestType>;
  const auto seen = both<world>({
      [](world& w) {
        w.lock.lock();
        w.first.reach();
        w.second.await();
        w.lock.unlock();
        w.third.reach();
      },
      [](world& w) {
        w.first.await();
        w.note(0, w.lock.try_lock());
        w.note(1, w.lock.timed_lock(long_past()));
        w.note(2, w.lock.timed_lock(soon()));
        w.second.reach();
        w.third.await();
        w.note(3, w.lock.try_lock());
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEMPLATE_TEST_CASE("a recursive Boost lock is free when each lock was given back", "",
                   bip::interprocess_recursive_mutex, spin::spin_recursive_mutex) {
  using world = guarded<TestType>;
  const auto seen = both<world>({
      [](world& w) {
        w.lock.lock();
        w.note(0, w.lock.try_lock());
        w.lock.unlock();
        w.first.reach();
        w.second.await();
        w.lock.unlock();
        w.third.reach();
      },
      [](world& w) {
        w.first.await();
        w.note(1, w.lock.try_lock());
        w.second.reach();
        w.third.await();
        w.note(2, w.lock.try_lock());
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

TEMPLATE_TEST_CASE("readers of a Boost lock are in together, and keep a writer out", "",
                   bip::interprocess_sharable_mutex, bip::interprocess_upgradable_mutex) {
  using world = guarded<TestType>;
  const auto seen = both<world>({
      [](world& w) {
        w.lock.lock_sharable();
        w.first.reach();
        w.second.await();
        w.lock.unlock_sharable();
      },
      [](world& w) {
        w.first.await();
        w.note(0, w.lock.try_lock_sharable());
        w.note(1, w.lock.try_lock());
        w.note(2, w.lock.timed_lock(soon()));
        w.lock.unlock_sharable();
        w.second.reach();
        w.lock.lock();  // waits for the other reader
        w.note(3, w.lock.timed_lock_sharable(soon()));
        w.lock.unlock();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("one process may be about to write in a Boost lock, beside readers") {
  using world = guarded<bip::interprocess_upgradable_mutex>;
  const auto seen = both<world>({
      [](world& w) {
        w.lock.lock_upgradable();
        w.first.reach();
        w.second.await();
        w.note(0, w.lock.try_unlock_upgradable_and_lock());  // the reader is still in
        w.third.reach();
        w.lock.unlock_upgradable_and_lock();
        w.count = 1;
        w.lock.unlock_and_lock_sharable();
        w.note(1, w.lock.try_lock());
        w.lock.unlock_sharable();
      },
      [](world& w) {
        w.first.await();
        w.lock.lock_sharable();
        w.note(2, w.lock.try_lock_upgradable());
        w.note(3, w.count);
        w.second.reach();
        w.third.await();
        w.lock.unlock_sharable();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

namespace {

template <class Condition, class Lock>
struct mailbox : notes {
  Lock lock;
  Condition changed;
  volatile int letters = 0;

  void put() {
    const bip::scoped_lock<Lock> guard(lock);
    letters = letters + 1;
    changed.notify_one();
  }
  void take() {
    bip::scoped_lock<Lock> guard(lock);
    while (letters == 0) changed.wait(guard);
    letters = letters - 1;
  }
  bool wait_in_vain() {
    bip::scoped_lock<Lock> guard(lock);
    return changed.timed_wait(guard, soon(), [this] { return letters > 0; });
  }
};

}  // namespace

TEMPLATE_TEST_CASE("a Boost condition lets its waiter go on, and times out", "",
                   (mailbox<bip::interprocess_condition, bip::interprocess_mutex>),
                   (mailbox<bip::interprocess_condition_any, bip::interprocess_recursive_mutex>),
                   (mailbox<bip::interprocess_condition_any, bip::interprocess_upgradable_mutex>),
                   (mailbox<spin::spin_condition, spin::spin_mutex>)) {
  const auto seen = both<TestType>({
      [](TestType& w) {
        for (int i = 0; i < 2; ++i) w.take();
        w.note(0, w.letters);
        w.note(1, w.wait_in_vain());
      },
      [](TestType& w) {
        for (int i = 0; i < 2; ++i) w.put();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEMPLATE_TEST_CASE("a Boost condition's notify_all lets all go on", "",
                   (mailbox<bip::interprocess_condition, bip::interprocess_mutex>),
                   (mailbox<bip::interprocess_condition_any, bip::interprocess_mutex>)) {
  const auto wait = [](TestType& w) {
    bip::scoped_lock<bip::interprocess_mutex> guard(w.lock);
    w.changed.wait(guard, [&w] { return w.letters == 2; });
    w.note(0, w.letters);
  };
  const auto seen = both<TestType>({wait, wait, [](TestType& w) {
                                      const bip::scoped_lock<bip::interprocess_mutex> guard(w.lock);
                                      w.letters = 2;
                                      w.changed.notify_all();
                                    }});
  CHECK(seen[0] == 2);
}

namespace {

template <class Semaphore>
struct counted : notes {
  Semaphore places{1};
  milestone first;
};

}  // namespace

TEMPLATE_TEST_CASE("a Boost semaphore counts, waits and times out", "",
                   counted<bip::interprocess_semaphore>, counted<spin::spin_semaphore>) {
  const auto seen = both<TestType>({
      [](TestType& w) {
        w.places.wait();
        w.note(0, w.places.try_wait());
        w.note(1, w.places.timed_wait(soon()));
        w.first.reach();
        w.places.wait();
        w.note(2, w.places.try_wait());
      },
      [](TestType& w) {
        w.first.await();
        w.places.post();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

namespace {

// The emulation keeps a process's globals in shared memory called after its pid, and only exit
// handlers take them away; a body has none.
struct mendable : guarded<spin::robust_spin_mutex<spin::spin_mutex>> {
  pid_t dying = 0;
  pid_t mending = 0;

  mendable() = default;
  mendable(const mendable&) = delete;
  mendable& operator=(const mendable&) = delete;
  ~mendable() {
    for (const auto pid : {dying, mending}) remove_globals_of(pid);
  }

 private:
  static void remove_globals_of(pid_t pid) {
    const auto prefix = "bip.gmem.map." + std::to_string(pid) + "_";
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error))
      if (entry.path().filename().string().starts_with(prefix))
        std::filesystem::remove(entry.path(), error);
  }
};

}  // namespace

TEST_CASE("a robust Boost lock passes from a dead owner to one who can mend") {
  using world = mendable;
  const auto seen = both<world>({
      [](world& w) {
        w.dying = ::getpid();
        w.lock.lock();
        w.first.reach();
        ::_exit(0);
      },
      [](world& w) {
        w.mending = ::getpid();
        w.first.await();
        w.lock.lock();
        w.note(0, w.lock.previous_owner_dead());
        w.lock.consistent();
        w.lock.unlock();
        w.note(1, w.lock.try_lock());
        w.note(2, w.lock.previous_owner_dead());
        w.lock.unlock();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
}

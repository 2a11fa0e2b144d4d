// Boost.Interprocess's named objects: two processes that make the same one at the same time, which
// they do with exclusive creation, a spinning handshake in shared memory, and yields.
#include <sched.h>
#include <unistd.h>

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/sync/file_lock.hpp>
#include <boost/interprocess/sync/named_condition.hpp>
#include <boost/interprocess/sync/named_condition_any.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <boost/interprocess/sync/named_recursive_mutex.hpp>
#include <boost/interprocess/sync/named_semaphore.hpp>
#include <boost/interprocess/sync/named_sharable_mutex.hpp>
#include <boost/interprocess/sync/named_upgradable_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/interprocess/sync/sharable_lock.hpp>
#include <string>

#include "tests/integration/semantics/milestone.hpp"
#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::milestone;
using forkloom::semantics::notes;
namespace bip = boost::interprocess;

// A name that no other run of the tests has. Each run of a test makes its objects anew.
template <class Object>
struct called : notes {
  std::array<char, 64> name{};
  volatile long count = 0;
  std::atomic<int> done{0};

  called() {
    const auto text = "forkloom-boost-" + std::to_string(::getpid());
    text.copy(name.data(), name.size() - 1);
    Object::remove(name.data());
  }
  called(const called&) = delete;
  called& operator=(const called&) = delete;
  ~called() { Object::remove(name.data()); }
};

boost::posix_time::ptime soon() {
  return boost::posix_time::microsec_clock::universal_time() + boost::posix_time::milliseconds(20);
}

}  // namespace

TEMPLATE_TEST_CASE("a named Boost lock that all make at once keeps them apart", "",
                   bip::named_mutex, bip::named_recursive_mutex, bip::named_sharable_mutex,
                   bip::named_upgradable_mutex) {
  using world = called<TestType>;
  const auto body = [](world& w) {
    TestType lock(bip::open_or_create, w.name.data());
    for (int i = 0; i < 2; ++i) {
      const bip::scoped_lock<TestType> guard(lock);
      const long before = w.count;
      ::sched_yield();
      w.count = before + 1;
    }
    if (++w.done == 3) w.note(0, w.count);  // the last one to come
  };
  const auto seen = both<world>({body, body, body});
  CHECK(seen[0] == 6);
}

TEST_CASE("a named Boost lock that is not there cannot be opened, and one that is cannot be made") {
  using world = called<bip::named_mutex>;
  const auto seen = both<world>({[](world& w) {
    const auto error_of = [&w](auto how) {
      try {
        bip::named_mutex(how, w.name.data());
        return 0;
      } catch (const bip::interprocess_exception& e) {
        return static_cast<int>(e.get_error_code());
      }
    };
    w.note(0, error_of(bip::open_only));
    w.note(1, error_of(bip::create_only));
    w.note(2, error_of(bip::create_only));
    w.note(3, error_of(bip::open_only));
    w.note(4, bip::named_mutex::remove(w.name.data()));
    w.note(5, bip::named_mutex::remove(w.name.data()));
  }});
  CHECK(seen[0] == bip::not_found_error);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == bip::already_exists_error);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
}

TEST_CASE("a named Boost semaphore hands on what was posted") {
  using world = called<bip::named_semaphore>;
  const auto seen = both<world>({
      [](world& w) {
        bip::named_semaphore letters(bip::open_or_create, w.name.data(), 0);
        letters.wait();
        letters.wait();
        w.note(0, letters.try_wait());
        w.note(1, letters.timed_wait(soon()));
      },
      [](world& w) {
        bip::named_semaphore letters(bip::open_or_create, w.name.data(), 0);
        letters.post();
        letters.post();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

namespace {

template <class Condition>
struct named_mailbox : called<bip::named_mutex> {
  std::array<char, 80> condition{};

  named_mailbox() {
    (std::string(name.data()) + "-c").copy(condition.data(), condition.size() - 1);
    Condition::remove(condition.data());
  }
  ~named_mailbox() { Condition::remove(condition.data()); }
};

}  // namespace

TEMPLATE_TEST_CASE("a named Boost condition lets its waiter go on", "", bip::named_condition,
                   bip::named_condition_any) {
  using world = named_mailbox<TestType>;
  const auto seen = both<world>({
      [](world& w) {
        bip::named_mutex lock(bip::open_or_create, w.name.data());
        TestType changed(bip::open_or_create, w.condition.data());
        bip::scoped_lock<bip::named_mutex> guard(lock);
        while (w.count == 0) changed.wait(guard);
        w.note(0, w.count);
        w.note(1, changed.timed_wait(guard, soon(), [&w] { return w.count == 2; }));
      },
      [](world& w) {
        bip::named_mutex lock(bip::open_or_create, w.name.data());
        TestType changed(bip::open_or_create, w.condition.data());
        const bip::scoped_lock<bip::named_mutex> guard(lock);
        w.count = 1;
        changed.notify_all();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
}

TEST_CASE("a Boost queue gives the most urgent message first, and waits while there is none") {
  struct world : called<bip::message_queue> {
    milestone full;
  };
  const auto seen = both<world>({
      [](world& w) {
        bip::message_queue queue(bip::open_or_create, w.name.data(), 2, sizeof(int));
        for (const int letter : {1, 2}) queue.send(&letter, sizeof letter, unsigned(letter));
        const int third = 3;
        w.note(0, queue.try_send(&third, sizeof third, 0) ? 1 : 0);
        w.note(1, queue.timed_send(&third, sizeof third, 0, soon()) ? 1 : 0);
        w.full.reach();
        queue.send(&third, sizeof third, 0);  // waits for room
      },
      [](world& w) {
        bip::message_queue queue(bip::open_or_create, w.name.data(), 2, sizeof(int));
        w.full.await();
        for (std::size_t slot = 2; slot < 5; ++slot) {
          int letter = 0;
          unsigned priority = 0;
          bip::message_queue::size_type size = 0;
          queue.receive(&letter, sizeof letter, size, priority);
          w.note(slot, letter);
        }
        w.note(5, long(queue.get_num_msg()));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 2);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 3);
  CHECK(seen[5] == 0);
}

namespace {

// A file to lock. A record lock goes with any close of the file in a process, so each has one lock.
struct locked_file : forkloom::semantics::named {
  locked_file() { ::close(::open(path.data(), O_CREAT | O_RDWR, 0600)); }
  milestone shared;
  milestone tried;
};

}  // namespace

TEST_CASE("a Boost file lock keeps processes apart, lets readers in together, and times out") {
  const auto seen = both<locked_file>({
      [](locked_file& w) {
        bip::file_lock lock(w.path.data());
        lock.lock_sharable();
        w.shared.reach();
        w.tried.await();
        lock.unlock_sharable();
      },
      [](locked_file& w) {
        bip::file_lock lock(w.path.data());
        w.shared.await();
        w.note(0, lock.try_lock_sharable());
        lock.unlock_sharable();
        w.note(1, lock.try_lock());
        w.note(2, lock.timed_lock(soon()));
        w.tried.reach();
        lock.lock();                 // waits for the reader
        w.note(3, lock.try_lock());  // a process does not hinder itself
        lock.unlock();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

#include <cerrno>
#include <csignal>

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_leak;

struct house {
  trace_builder b;
  task_id one = b.task("worker 0");
  task_id other = b.task("worker 1");

  [[nodiscard]] std::vector<violation> found() const { return check_leak(b.done(), {}); }
};

// Left behind.

TEST_CASE("what is left behind is told with the task and the line that made it") {
  house h;
  const auto shm = h.b.resource("/bank", resource_kind::shared_memory);
  const auto made = h.b.does(h.one, operation::shm_open, shm, {.result = 5});
  h.b.does(h.other, operation::shm_open, shm, {.result = 5});
  h.b.does(h.one, operation::close, no_resource, {.before = 5});
  h.b.does(h.other, operation::close, no_resource, {.before = 5});
  h.b.raw().leftovers.push_back({.what = "shared memory /bank", .resource = shm});

  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::leak);
  CHECK(found[0].message ==
        "shared memory /bank was left behind by worker 0, which made it at code.cpp:0 and nobody "
        "removed it");
  CHECK(found[0].tasks == strings{"worker 0"});
  CHECK(found[0].resource == "/bank");
  CHECK(found[0].evidence == indices{made});
}

TEST_CASE("its maker is the first who opened it after it was last unlinked, failures apart") {
  house h;
  const auto name = h.b.resource("/gate", resource_kind::semaphore);
  h.b.does(h.one, operation::sem_open, name);
  h.b.does(h.one, operation::sem_unlink, name);
  h.b.does(h.one, operation::sem_open, name, {.result = -1, .error = EACCES});
  const auto made = h.b.does(h.other, operation::sem_open, name);
  h.b.raw().leftovers.push_back({.what = "semaphore /gate", .resource = name});
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{made});
}

TEST_CASE("a message queue's maker is who made it, not who opened it first") {
  house h;
  const auto name = h.b.resource("/jobs", resource_kind::message_queue);
  h.b.does(h.one, operation::mq_open, name, {.result = 5});  // one that the scenario then unlinked
  const auto made = h.b.does(h.other, operation::mq_open, name, {.result = 5, .before = 1});
  h.b.does(h.one, operation::mq_open, name, {.result = 5});
  h.b.raw().leftovers.push_back({.what = "message queue /jobs", .resource = name});
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{made});
}

TEST_CASE("a System V object was made by the get that says so, with a key or without") {
  house h;
  const auto key = h.b.resource("System V key 0x1", resource_kind::system_v_key);
  const auto set = h.b.resource("semaphore set 1", resource_kind::system_v_semaphore);
  const auto segment = h.b.resource("segment 1", resource_kind::system_v_memory);
  h.b.does(h.other, operation::semget, key, {.second = set});
  const auto keyed = h.b.does(h.one, operation::semget, key, {.after = 1, .second = set});
  const auto keyless = h.b.does(h.one, operation::shmget, segment, {.after = 1});
  h.b.does(h.other, operation::semget, key, {.second = set});
  h.b.raw().leftovers = {{.what = "semaphore set 1", .resource = set},
                         {.what = "segment 1", .resource = segment}};
  const auto found = h.found();
  REQUIRE(found.size() == 2);
  CHECK(found[0].evidence == indices{keyed});
  CHECK(found[1].evidence == indices{keyless});
}

TEST_CASE("a segment that stays attached is told, one that was detached is not") {
  house h;
  const auto segment = h.b.resource("segment 1", resource_kind::system_v_memory);
  h.b.does(h.one, operation::shmat, segment, {.before = 4096, .after = 0x10000});
  h.b.does(h.one, operation::shmdt, segment, {.before = 4096, .after = 0x10000});
  const auto kept = h.b.does(h.one, operation::shmat, segment, {.before = 4096, .after = 0x20000});
  const auto end = h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "1 mapping: 4096 bytes attached"));
  CHECK(found[0].evidence == indices{kept, end});
}

TEST_CASE("something left behind that the trace does not know is told all the same") {
  house h;
  h.b.raw().leftovers.push_back({.what = "System V queue 3"});
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].resource == "System V queue 3");
}

TEST_CASE("what lies about when an execution is cut short is no leak") {
  house h;
  h.b.raw().leftovers.push_back({.what = "System V queue 3"});
  h.b.raw().how = ending::stuck;
  CHECK(h.found().empty());
}

// Descriptors.

TEST_CASE("descriptors that a task made and did not close are leaked, each with its line") {
  house h;
  const auto made = h.b.does(h.one, operation::pipe, no_resource, {.before = 3, .after = 4});
  const auto copied = h.b.does(h.one, operation::dup, no_resource, {.result = 9, .before = 4});
  h.b.does(h.one, operation::close, no_resource, {.before = 3});
  const auto end = h.b.ends(h.one);

  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "worker 0 ended with 2 descriptors open: descriptor 4 opened at code.cpp:0 and 1 more");
  CHECK(found[0].evidence == indices{made, copied, end});
  CHECK(tells(found[0], "descriptor 9 opened, by worker 0 with its dup at code.cpp:1"));
}

TEST_CASE("event counters, timers, epolls and memory files are descriptors, too") {
  for (const auto op :
       {operation::eventfd, operation::timerfd, operation::epoll_create, operation::memfd}) {
    house h;
    const auto made = h.b.does(h.one, op, no_resource, {.result = 5});
    h.b.does(h.one, op, no_resource, {.result = 6});
    h.b.does(h.one, operation::close, no_resource, {.before = 6});
    h.b.ends(h.one);
    REQUIRE(h.found().size() == 1);
    CHECK(h.found()[0].evidence.front() == made);
  }
}

TEST_CASE("descriptors that were all closed are no leak") {
  house h;
  h.b.does(h.one, operation::pipe, no_resource, {.before = 3, .after = 4});
  h.b.does(h.one, operation::open, no_resource, {.result = 5});
  for (const std::uint64_t fd : {3, 4, 5})
    h.b.does(h.one, operation::close, no_resource, {.before = fd});
  h.b.ends(h.one);
  CHECK(h.found().empty());
}

TEST_CASE("a message queue is a descriptor, closed by either close") {
  house h;
  for (const std::int64_t fd : {5, 6, 7})
    h.b.does(h.one, operation::mq_open, no_resource, {.result = fd});
  h.b.does(h.one, operation::mq_close, no_resource, {.before = 5});
  h.b.does(h.one, operation::close, no_resource, {.before = 6});
  h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "1 descriptor open: descriptor 7 opened at code.cpp:2"));
}

TEST_CASE("a descriptor that another task closed is open in this one") {
  house h;
  h.b.does(h.one, operation::open, no_resource, {.result = 5});
  h.b.does(h.other, operation::close, no_resource, {.before = 5});
  h.b.ends(h.one);
  CHECK(h.found().size() == 1);
}

TEST_CASE("a call that failed opened and closed nothing") {
  house h;
  h.b.does(h.one, operation::open, no_resource, {.result = -1, .error = ENOENT});
  h.b.ends(h.one);
  CHECK(h.found().empty());
  h.b.does(h.other, operation::open, no_resource, {.result = 5});
  h.b.does(h.other, operation::close, no_resource, {.result = -1, .before = 5, .error = EIO});
  h.b.ends(h.other);
  CHECK(h.found().size() == 1);
}

TEST_CASE("a duplicate put onto an open descriptor closes that one") {
  house h;
  h.b.does(h.one, operation::open, no_resource, {.result = 5});
  h.b.does(h.one, operation::open, no_resource, {.result = 6});
  const auto copied = h.b.does(h.one, operation::dup, no_resource, {.result = 6, .before = 5});
  h.b.does(h.one, operation::close, no_resource, {.before = 5});
  const auto end = h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{copied, end});
}

TEST_CASE("an inherited descriptor duplicated onto itself is still not the task's own") {
  house h;
  h.b.does(h.one, operation::dup, no_resource, {.result = 7, .before = 7});
  h.b.ends(h.one);
  CHECK(h.found().empty());
}

TEST_CASE("a standard stream that was replaced need not be closed") {
  house h;
  h.b.does(h.one, operation::dup, no_resource, {.result = 1, .before = 5});
  h.b.ends(h.one);
  CHECK(h.found().empty());
}

TEST_CASE("what a child inherited is not its leak, and its parent must still close it") {
  house h;
  const auto child = h.b.task("child", h.one);
  h.b.does(h.one, operation::pipe, no_resource, {.before = 3, .after = 4});
  h.b.forks(h.one, child);
  h.b.ends(child);
  h.b.reaps(h.one, child);
  h.b.does(h.one, operation::close, no_resource, {.before = 3});
  h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"worker 0"});
  CHECK(contains(found[0].message, "1 descriptor open: descriptor 4"));
}

TEST_CASE("a task that was killed or left at once had no chance to tidy up") {
  house h;
  h.b.does(h.one, operation::open, no_resource, {.result = 5});
  const auto end = GENERATE(task_end{.kind = task_end::how::signalled, .code = SIGKILL},
                            task_end{.kind = task_end::how::exited});
  h.b.dies(h.one, end);
  CHECK(h.found().empty());
}

TEST_CASE("a signal in the midst of a regular end is no regular end") {
  house h;
  h.b.does(h.one, operation::open, no_resource, {.result = 5});
  h.b.ends(h.one);
  h.b.raw().tasks[index(h.one)].end = {.kind = task_end::how::signalled, .code = SIGKILL};
  CHECK(h.found().empty());
}

// Mappings.

TEST_CASE("a mapping that was not unmapped is leaked") {
  house h;
  const auto shm = h.b.resource("/bank", resource_kind::shared_memory);
  h.b.does(h.one, operation::map, shm, {.before = 5000, .after = 0x10000});
  h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "worker 0 ended with 1 mapping: 8192 bytes mapped at code.cpp:0");
  CHECK(found[0].resource == "/bank");
}

TEST_CASE("a mapping is gone when all its pages are, in whatever pieces") {
  house h;
  h.b.does(h.one, operation::map, no_resource, {.before = 0x3000, .after = 0x10000});
  h.b.does(h.one, operation::unmap, no_resource, {.before = 0x1000, .after = 0x11000});
  h.b.does(h.one, operation::unmap, no_resource, {.before = 0x0fff, .after = 0x10000});
  SECTION("all but the last page") {
    h.b.ends(h.one);
    const auto found = h.found();
    REQUIRE(found.size() == 1);
    CHECK(contains(found[0].message, "1 mapping: 4096 bytes"));
  }
  SECTION("and the last page") {
    h.b.does(h.one, operation::unmap, no_resource, {.before = 0x1000, .after = 0x12000});
    h.b.ends(h.one);
    CHECK(h.found().empty());
  }
}

TEST_CASE("a mapping that lost its end is leaked with its beginning") {
  house h;
  h.b.does(h.one, operation::map, no_resource, {.before = 0x3000, .after = 0x10000});
  h.b.does(h.one, operation::unmap, no_resource, {.before = 0x2000, .after = 0x11000});
  h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "1 mapping: 4096 bytes"));
}

TEST_CASE("a mapping put over another one replaces it") {
  house h;
  h.b.does(h.one, operation::map, no_resource, {.before = 0x1000, .after = 0x10000});
  const auto second =
      h.b.does(h.one, operation::map, no_resource, {.before = 0x1000, .after = 0x10000});
  const auto end = h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{second, end});
}

// Mutexes.

TEST_CASE("a mutex that is held at the end of its holder is leaked") {
  house h;
  const auto m = h.b.mutex("vault");
  const auto took = h.b.lock(h.one, m);
  const auto end = h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "worker 0 ended with 1 mutex held: vault locked at code.cpp:0");
  CHECK(found[0].resource == "vault");
  CHECK(found[0].evidence == indices{took, end});
}

TEST_CASE("a mutex that was unlocked is not held") {
  house h;
  const auto m = h.b.mutex("vault");
  h.b.lock(h.one, m);
  h.b.unlock(h.one, m);
  h.b.ends(h.one);
  CHECK(h.found().empty());
}

TEST_CASE("a recursive mutex is held until it was unlocked as often as it was locked") {
  house h;
  const auto m = h.b.mutex("vault");
  h.b.lock(h.one, m);
  h.b.does(h.one, operation::mutex_trylock, m);
  h.b.unlock(h.one, m);
  SECTION("once") {
    h.b.ends(h.one);
    CHECK(h.found().size() == 1);
  }
  SECTION("twice") {
    h.b.unlock(h.one, m);
    h.b.ends(h.one);
    CHECK(h.found().empty());
  }
}

TEST_CASE("a trylock that failed took nothing, one that found a dead owner took the mutex") {
  house h;
  const auto m = h.b.mutex("vault");
  h.b.does(h.one, operation::mutex_trylock, m, {.result = EBUSY, .error = EBUSY});
  h.b.ends(h.one);
  CHECK(h.found().empty());
  h.b.does(h.other, operation::mutex_lock, m, {.result = EOWNERDEAD});
  h.b.ends(h.other);
  CHECK(h.found().size() == 1);
}

TEST_CASE("a condition wait gives its mutex up and takes it again") {
  house h;
  const auto m = h.b.mutex("vault");
  const auto filled = h.b.resource("filled", resource_kind::condition);
  h.b.lock(h.one, m);
  h.b.blocks(h.one, operation::cond_wait, filled, m);
  h.b.blocks(h.one, operation::cond_wait, m, filled);
  SECTION("not unlocked afterwards") {
    h.b.does(h.one, operation::cond_wait, filled, {.second = m});
    h.b.ends(h.one);
    CHECK(h.found().size() == 1);
  }
  SECTION("unlocked once") {
    h.b.does(h.one, operation::cond_wait, filled, {.second = m});
    h.b.unlock(h.one, m);
    h.b.ends(h.one);
    CHECK(h.found().empty());
  }
  SECTION("not taken again, because it cannot be recovered") {
    h.b.does(h.one, operation::cond_wait, filled, {.result = ENOTRECOVERABLE, .second = m});
    h.b.ends(h.one);
    CHECK(h.found().empty());
  }
}

TEST_CASE("a condition wait whose time was over at once does not lock its mutex twice") {
  house h;
  const auto m = h.b.mutex("vault");
  const auto filled = h.b.resource("filled", resource_kind::condition);
  h.b.lock(h.one, m);
  h.b.does(h.one, operation::cond_wait, filled, {.result = ETIMEDOUT, .second = m});
  h.b.unlock(h.one, m);
  h.b.ends(h.one);
  CHECK(h.found().empty());
}

TEST_CASE("a mutex that another task unlocked is not held any more") {
  house h;
  const auto m = h.b.mutex("vault");
  h.b.lock(h.one, m);
  h.b.unlock(h.other, m);
  h.b.ends(h.one);
  CHECK(h.found().empty());
}

// Other locks.

TEST_CASE("a lock of any kind that is held at the end of its holder is leaked") {
  house h;
  const auto rwlock = h.b.resource("ledger", resource_kind::rwlock);
  const auto spin = h.b.resource("meter", resource_kind::spin_lock);
  h.b.does(h.one, operation::rwlock_tryrdlock, rwlock);
  h.b.does(h.one, operation::spin_lock, spin);
  h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "worker 0 ended with 2 locks held: ledger locked at code.cpp:0 and 1 more");
  CHECK(tells(found[0], "meter locked, by worker 0 with its spin lock of meter at code.cpp:1"));
}

TEST_CASE("a read-write lock is held until it was unlocked as often as it was locked") {
  house h;
  const auto lock = h.b.resource("ledger", resource_kind::rwlock);
  h.b.does(h.one, operation::rwlock_rdlock, lock);
  h.b.does(h.one, operation::rwlock_rdlock, lock);
  h.b.does(h.one, operation::rwlock_unlock, lock);
  SECTION("once") {
    h.b.ends(h.one);
    CHECK(h.found().size() == 1);
  }
  SECTION("twice, and written in between") {
    h.b.does(h.one, operation::rwlock_unlock, lock);
    h.b.does(h.one, operation::rwlock_trywrlock, lock);
    h.b.does(h.one, operation::rwlock_unlock, lock);
    h.b.ends(h.one);
    CHECK(h.found().empty());
  }
}

TEST_CASE("a reader's unlock is its own, whoever else reads") {
  house h;
  const auto lock = h.b.resource("ledger", resource_kind::rwlock);
  h.b.does(h.one, operation::rwlock_rdlock, lock);
  h.b.does(h.other, operation::rwlock_rdlock, lock);
  h.b.does(h.other, operation::rwlock_unlock, lock);
  h.b.ends(h.other);
  CHECK(h.found().empty());
  h.b.ends(h.one);
  CHECK(h.found().size() == 1);
}

TEST_CASE("a lock that was given back or destroyed is not held") {
  house h;
  const auto spin = h.b.resource("meter", resource_kind::spin_lock);
  const auto rwlock = h.b.resource("ledger", resource_kind::rwlock);
  h.b.does(h.one, operation::spin_trylock, spin);
  h.b.does(h.one, operation::spin_unlock, spin);
  const auto other_spin = h.b.resource("other meter", resource_kind::spin_lock);
  h.b.does(h.one, operation::spin_lock, other_spin);
  h.b.does(h.one, operation::spin_destroy, other_spin);
  h.b.does(h.one, operation::rwlock_wrlock, rwlock);
  h.b.does(h.one, operation::rwlock_destroy, rwlock);
  h.b.does(h.one, operation::rwlock_trywrlock, rwlock, {.result = EBUSY, .error = EBUSY});
  h.b.ends(h.one);
  CHECK(h.found().empty());
}

// Children.

TEST_CASE("a child that died and was not waited for is leaked by its parent") {
  house h;
  const auto child = h.b.task("child", h.one);
  const auto forked = h.b.forks(h.one, child);
  h.b.ends(child);
  const auto end = h.b.ends(h.one);
  const auto found = h.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].message ==
        "worker 0 ended with 1 dead child not waited for: child forked at code.cpp:0");
  CHECK(found[0].evidence == indices{forked, end});
}

TEST_CASE("a child that was waited for is no leak, one of two is") {
  house h;
  const auto child = h.b.task("child", h.one);
  const auto sibling = h.b.task("sibling", h.one);
  h.b.forks(h.one, child);
  h.b.forks(h.one, sibling);
  h.b.ends(child);
  h.b.ends(sibling);
  h.b.reaps(h.one, sibling);
  SECTION("both") {
    h.b.reaps(h.one, child);
    h.b.ends(h.one);
    CHECK(h.found().empty());
  }
  SECTION("one, and a look that found none") {
    h.b.does(h.one, operation::wait_child, no_resource, {.result = 0, .after = index(child)});
    h.b.ends(h.one);
    const auto found = h.found();
    REQUIRE(found.size() == 1);
    CHECK(contains(found[0].message, "1 dead child not waited for: child"));
  }
}

TEST_CASE("a child that outlives its parent is no zombie of it") {
  house h;
  const auto child = h.b.task("child", h.one);
  h.b.forks(h.one, child);
  h.b.ends(h.one);
  h.b.ends(child);
  CHECK(h.found().empty());
}

}  // namespace

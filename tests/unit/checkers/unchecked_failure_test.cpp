#include <cerrno>
#include <initializer_list>

#include "framework/trace/semaphore_operations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct bakery {
  trace_builder b;
  task_id baker = b.task("baker");
  task_id customer = b.task("customer");
  resource_id lock = b.mutex("till lock");
  resource_id orders = b.resource("orders", resource_kind::message_queue);
  resource_id loaves = b.memory("loaves");

  std::size_t fails(task_id task, operation op, resource_id on, int error,
                    std::uint64_t before = 0) {
    return b.does(task, op, on, {.result = -1, .before = before, .error = error});
  }
  [[nodiscard]] std::vector<violation> found() const {
    return checkers::check_unchecked_failure(b.done(), {});
  }
};

TEST_CASE("an unlock after a lock that failed presupposes that it had not") {
  bakery k;
  const auto op = GENERATE(operation::mutex_lock, operation::mutex_trylock);
  const auto failed = k.fails(k.baker, op, k.lock, EBUSY);
  k.b.load(k.baker, k.loaves, 1);
  const auto unlock = k.b.unlock(k.baker, k.lock);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::unchecked_failure);
  CHECK(found[0].tasks == strings{"baker"});
  CHECK(found[0].resource == "till lock");
  CHECK(found[0].evidence == indices{failed, unlock});
  CHECK(contains(found[0].message, "baker did not heed that its"));
  CHECK(contains(found[0].message, "of till lock at code.cpp:0 failed, and then went on"));
}

TEST_CASE("who takes the lock after all may give it back") {
  bakery k;
  k.fails(k.baker, operation::mutex_trylock, k.lock, EBUSY);
  k.b.lock(k.baker, k.lock);
  k.b.unlock(k.baker, k.lock);
  CHECK(k.found().empty());
}

TEST_CASE("who has the lock already, and fails to take it again, may give it back") {
  bakery k;
  k.b.lock(k.baker, k.lock);
  k.fails(k.baker, operation::mutex_lock, k.lock, EDEADLK);
  k.b.unlock(k.baker, k.lock);
  CHECK(k.found().empty());
}

TEST_CASE("who tries a lock that it has, and then waits with it, has heeded all") {
  bakery k;
  const auto ready = k.b.resource("ready", resource_kind::condition);
  k.b.lock(k.baker, k.lock);
  k.fails(k.baker, operation::mutex_trylock, k.lock, EBUSY);
  k.b.blocks(k.baker, operation::cond_wait, ready, k.lock);
  k.b.does(k.baker, operation::cond_wait, ready, {.second = k.lock});
  CHECK(k.found().empty());
}

TEST_CASE("another task's failure, or one of another lock, does not matter") {
  bakery k;
  k.fails(k.customer, operation::mutex_trylock, k.lock, EBUSY);
  k.fails(k.baker, operation::mutex_trylock, k.b.mutex("door"), EBUSY);
  k.b.unlock(k.baker, k.lock);
  CHECK(k.found().empty());
}

TEST_CASE("a condition wait presupposes its mutex") {
  bakery k;
  const auto ready = k.b.resource("ready", resource_kind::condition);
  k.fails(k.baker, operation::mutex_lock, k.lock, EINVAL);
  k.b.does(k.baker, operation::cond_wait, ready, {.second = k.lock});
  CHECK(k.found().size() == 1);
}

TEST_CASE("the post after a failed wait counts only of a semaphore that everybody uses as a lock") {
  bakery k;
  const auto s = k.b.resource("token", resource_kind::semaphore);
  const bool signals = GENERATE(false, true);
  if (!signals) k.b.does(k.customer, operation::sem_wait, s);
  k.b.does(k.customer, operation::sem_post, s);
  k.fails(k.baker, operation::sem_wait, s, EINTR);
  k.b.does(k.baker, operation::sem_post, s);
  CHECK(k.found().size() == (signals ? 0 : 1));
}

TEST_CASE("the same of a semaphore of a set, unless several are changed at once") {
  bakery k;
  const auto ovens = k.b.resource("ovens", resource_kind::system_v_semaphore);
  const auto asks = [](std::initializer_list<std::int16_t> changes) {
    semaphore_operations all;
    for (const auto by : changes) all.add({1, by, false});
    return all.before();
  };
  const auto how = GENERATE(0, 1, 2, 3);
  k.b.does(k.customer, operation::semop, ovens, {.before = asks({-1})});
  if (how == 1) k.b.does(k.customer, operation::semop, ovens, {.before = asks({0, +1})});
  if (how != 3) k.b.does(k.customer, operation::semop, ovens, {.before = asks({+1})});
  const auto failed = k.fails(k.baker, operation::semop, ovens, EAGAIN, asks({-1}));
  if (how == 2) k.b.does(k.baker, operation::semop, ovens, {.before = asks({-1})});
  const auto post = k.b.does(k.baker, operation::semop, ovens, {.before = asks({+1})});
  const auto found = k.found();
  REQUIRE(found.size() == (how == 0 ? 1 : 0));
  if (how != 0) return;
  CHECK(found[0].resource == "ovens");
  CHECK(found[0].evidence == indices{failed, post});
}

TEST_CASE("a descriptor that was never opened is used, and fails, too") {
  bakery k;
  const auto failed = k.fails(k.customer, operation::mq_open, k.orders, ENOENT);
  const auto use = k.fails(k.customer, operation::mq_send, no_resource, EBADF);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{failed, use});
  CHECK(contains(found[0].message, "used what was not there: its mq send"));
}

TEST_CASE("who opens another one, or only closes, has heeded the failure or does no harm") {
  bakery k;
  k.fails(k.customer, operation::mq_open, k.orders, ENOENT);
  SECTION("another one") {
    k.b.does(k.customer, operation::mq_open, k.orders, {.result = 5});
    k.fails(k.customer, operation::mq_send, no_resource, EBADF);
  }
  SECTION("a close") { k.fails(k.customer, operation::close, no_resource, EBADF); }
  SECTION("of another sort") { k.fails(k.customer, operation::msgsnd, no_resource, EINVAL); }
  SECTION("another task") { k.fails(k.baker, operation::mq_send, no_resource, EBADF); }
  CHECK(k.found().empty());
}

TEST_CASE("an id that no get gave is used") {
  bakery k;
  const auto [get, use] = GENERATE(std::pair{operation::semget, operation::semop},
                                   std::pair{operation::shmget, operation::shmat},
                                   std::pair{operation::msgget, operation::msgrcv});
  k.fails(k.baker, get, no_resource, ENOENT);
  k.fails(k.baker, use, no_resource, EINVAL);
  CHECK(k.found().size() == 1);
}

TEST_CASE("who asks again with the same buffer has not looked why it failed") {
  bakery k;
  const auto first = k.fails(k.baker, operation::mq_receive, k.orders, EMSGSIZE, 16);
  SECTION("the same") {
    const auto again = k.fails(k.baker, operation::mq_receive, k.orders, EMSGSIZE, 16);
    const auto found = k.found();
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence == indices{first, again});
  }
  SECTION("a larger one") {
    k.fails(k.baker, operation::mq_receive, k.orders, EMSGSIZE, 32);
    CHECK(k.found().empty());
  }
  SECTION("after a look at the queue") {
    k.b.does(k.baker, operation::mq_attributes, k.orders);
    k.fails(k.baker, operation::mq_receive, k.orders, EMSGSIZE, 16);
    CHECK(k.found().empty());
  }
}

TEST_CASE("a message that was too long is left, and the receiver goes on and ends well") {
  bakery k;
  const auto failed = k.fails(k.baker, operation::mq_receive, k.orders, EMSGSIZE, 16);
  SECTION("as if it had it") {
    k.b.store(k.baker, k.loaves, 10, 8);
    const auto end = k.b.ends(k.baker);
    const auto found = k.found();
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence == indices{failed, end});
  }
  SECTION("with an exit code that says so") {
    k.b.store(k.baker, k.loaves, 10, 8);
    k.b.ends(k.baker, 1);
    CHECK(k.found().empty());
  }
  SECTION("having done nothing but tidy up") {
    k.b.does(k.baker, operation::mq_close, k.orders);
    k.b.ends(k.baker);
    CHECK(k.found().empty());
  }
  SECTION("having received it with a larger buffer") {
    k.b.does(k.baker, operation::mq_receive, k.orders, {.result = 20, .before = 32});
    k.b.store(k.baker, k.loaves, 10, 8);
    k.b.ends(k.baker);
    CHECK(k.found().empty());
  }
}

TEST_CASE("a task and a resource are told once") {
  bakery k;
  for (int i = 0; i < 3; ++i) {
    k.fails(k.baker, operation::mutex_trylock, k.lock, EBUSY);
    k.b.unlock(k.baker, k.lock);
  }
  CHECK(k.found().size() == 1);
}

}  // namespace

// Which pending operations conflict.
#include "framework/execution/conflict.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::execution;

constexpr task_id mine{0};
constexpr task_id other{1};
constexpr resource_id here{7};
constexpr resource_id there{8};

pending_step step(operation op, resource_id resource = no_resource,
                  resource_kind kind = resource_kind::unknown, task_id process = mine) {
  return {.op = op, .resource = resource, .kind = kind, .process = process};
}

// It must not matter who is asked about whom.
bool both_ways(const pending_step& x, const pending_step& y) {
  const bool found = conflict(x, y);
  CHECK(conflict(y, x) == found);
  return found;
}

TEST_CASE("two operations on one resource conflict if one of them changes it") {
  const auto load = step(operation::load, here, resource_kind::memory);
  const auto store = step(operation::store, here, resource_kind::memory, other);
  CHECK(both_ways(load, store));
  CHECK(both_ways(store, store));
  CHECK_FALSE(both_ways(load, load));
  CHECK_FALSE(both_ways(load, step(operation::store, there, resource_kind::memory, other)));
}

TEST_CASE("who waits and who wakes it conflict") {
  CHECK(both_ways(step(operation::sem_wait, here, resource_kind::semaphore),
                  step(operation::sem_post, here, resource_kind::semaphore, other)));
  CHECK(both_ways(step(operation::read, here, resource_kind::pipe),
                  step(operation::write, here, resource_kind::pipe, other)));
  CHECK(both_ways(step(operation::cond_wait, here, resource_kind::condition),
                  step(operation::cond_signal, here, resource_kind::condition, other)));
}

TEST_CASE("a condition wait conflicts with whoever wants a mutex, and with no other lock") {
  const auto wait = step(operation::cond_wait, here, resource_kind::condition);
  CHECK(both_ways(wait, step(operation::mutex_lock, there, resource_kind::mutex, other)));
  CHECK(both_ways(wait, step(operation::mutex_unlock, there, resource_kind::mutex, other)));
  CHECK_FALSE(both_ways(wait, step(operation::rwlock_rdlock, there, resource_kind::rwlock, other)));
}

TEST_CASE("what has no resource conflicts with nothing, and time does not either") {
  for (const auto op : {operation::start, operation::sleep, operation::clock_read}) {
    CHECK_FALSE(both_ways(step(op), step(op, no_resource, resource_kind::unknown, other)));
    CHECK_FALSE(both_ways(step(op), step(operation::store, here, resource_kind::memory, other)));
  }
}

TEST_CASE("a signal conflicts with all that its receiver's threads do, and with nobody else's") {
  auto kill = step(operation::signal_send, here, resource_kind::signal);
  kill.receiver = other;
  const auto store = step(operation::store, there, resource_kind::memory, other);
  CHECK(both_ways(kill, store));
  CHECK(both_ways(kill, step(operation::start, no_resource, resource_kind::unknown, other)));
  CHECK_FALSE(both_ways(kill, step(operation::store, there, resource_kind::memory, task_id{2})));
}

TEST_CASE("the end of a process conflicts with what the kernel may take from it, not with memory") {
  const auto end = step(operation::exit, here, resource_kind::process);
  for (const auto kind : {resource_kind::pipe, resource_kind::mutex, resource_kind::record_lock,
                          resource_kind::socket, resource_kind::system_v_semaphore})
    CHECK(both_ways(end, step(operation::read, there, kind, other)));
  CHECK(both_ways(end, step(operation::wait_child, here, resource_kind::process, other)));
  CHECK_FALSE(both_ways(end, step(operation::store, there, resource_kind::memory, other)));
  CHECK_FALSE(both_ways(end, step(operation::sleep, no_resource, resource_kind::unknown, other)));
}

}  // namespace

#include "framework/trace/schedule_class.hpp"

#include <array>
#include <cerrno>

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

std::uint64_t class_hash(const trace_builder& b) {
  return class_of(b.done(), footprints(b.done()));
}

struct two_tasks {
  trace_builder b;
  task_id one = b.task("one");
  task_id other = b.task("other");
  resource_id m = b.mutex("m");
  resource_id c = b.resource("c", resource_kind::condition);
  resource_id x = b.memory("x");
};

TEST_CASE("two loads commute, a load and a store do not") {
  two_tasks p;
  p.b.load(p.one, p.x, 1);
  p.b.load(p.other, p.x, 1);
  two_tasks q;
  q.b.load(q.other, q.x, 1);
  q.b.load(q.one, q.x, 1);
  CHECK(class_hash(p.b) == class_hash(q.b));
  p.b.store(p.one, p.x, 1, 2);
  p.b.load(p.other, p.x, 2);
  q.b.load(q.other, q.x, 1);
  q.b.store(q.one, q.x, 1, 2);
  CHECK(class_hash(p.b) != class_hash(q.b));
}

TEST_CASE(
    "whether a child dies before its parent or after it matters, who dies first else does not") {
  const auto ends = [](bool child_first, bool stranger_first) {
    trace_builder b;
    const auto parent = b.task("parent");
    const auto child = b.task("child");
    const auto stranger = b.task("stranger");
    const auto children = b.resource("children of parent", resource_kind::process);
    b.forks(parent, child, children);
    if (stranger_first) b.ends(stranger);
    if (child_first) b.ends(child, 0, children);
    b.ends(parent);
    if (!child_first) b.ends(child, 0, children);
    if (!stranger_first) b.ends(stranger);
    return class_hash(b);
  };
  CHECK(ends(true, true) != ends(false, true));
  CHECK(ends(true, true) == ends(true, false));
  CHECK(ends(false, true) == ends(false, false));
}

TEST_CASE("who finds a once routine called already has only looked") {
  const auto calls = [](std::uint64_t done_before, bool one_first) {
    two_tasks p;
    const auto flag = p.b.resource("flag", resource_kind::once);
    for (const auto task : one_first ? std::array{p.one, p.other} : std::array{p.other, p.one})
      p.b.does(task, operation::once, flag, {.before = done_before});
    return class_hash(p.b);
  };
  CHECK(calls(1, true) == calls(1, false));
  CHECK(calls(0, true) != calls(0, false));
}

TEST_CASE("how often a lock was tried in vain makes no class of its own") {
  two_tasks p;
  p.b.lock(p.one, p.m);
  p.b.blocks(p.other, operation::mutex_lock, p.m);
  p.b.unlock(p.one, p.m);
  p.b.lock(p.other, p.m);
  two_tasks q;
  q.b.lock(q.one, q.m);
  q.b.unlock(q.one, q.m);
  q.b.lock(q.other, q.m);
  CHECK(class_hash(p.b) == class_hash(q.b));
}

TEST_CASE("a lock that is still waited for at the end makes a class of its own") {
  two_tasks p;
  p.b.lock(p.one, p.m);
  two_tasks q;
  q.b.lock(q.one, q.m);
  q.b.waits(q.other, operation::mutex_lock, q.m, {});
  CHECK(class_hash(p.b) != class_hash(q.b));
}

TEST_CASE("who has the lock first makes the class") {
  two_tasks p;
  p.b.lock(p.one, p.m);
  p.b.unlock(p.one, p.m);
  p.b.lock(p.other, p.m);
  two_tasks q;
  q.b.lock(q.other, q.m);
  q.b.unlock(q.other, q.m);
  q.b.lock(q.one, q.m);
  CHECK(class_hash(p.b) != class_hash(q.b));
}

TEST_CASE("a signal before a wait and one after it are two classes") {
  two_tasks p;
  p.b.does(p.one, operation::cond_signal, p.c);
  p.b.blocks(p.other, operation::cond_wait, p.c, p.m);
  two_tasks q;
  q.b.blocks(q.other, operation::cond_wait, q.c, q.m);
  q.b.does(q.one, operation::cond_signal, q.c);
  CHECK(class_hash(p.b) != class_hash(q.b));
}

TEST_CASE("a trylock that failed has only looked") {
  two_tasks p;
  p.b.does(p.one, operation::mutex_trylock, p.m, {.error = EBUSY});
  p.b.does(p.other, operation::mutex_trylock, p.m, {.error = EBUSY});
  two_tasks q;
  q.b.does(q.other, operation::mutex_trylock, q.m, {.error = EBUSY});
  q.b.does(q.one, operation::mutex_trylock, q.m, {.error = EBUSY});
  CHECK(class_hash(p.b) == class_hash(q.b));
}

TEST_CASE("the numbers of forked tasks follow the schedule, and do not make the class") {
  const auto forks = [](bool one_first) {
    trace_builder b;
    const auto one = b.task("one");
    const auto other = b.task("other");
    const auto its = b.resource("children of one", resource_kind::process);
    const auto others = b.resource("children of other", resource_kind::process);
    const auto x = b.memory("x");
    const auto first = b.task("child", one_first ? one : other);
    const auto second = b.task("child", one_first ? other : one);
    b.forks(one_first ? one : other, first, one_first ? its : others);
    b.forks(one_first ? other : one, second, one_first ? others : its);
    const auto child_of_one = one_first ? first : second;
    b.store(child_of_one, x, 0, 1);
    b.load(child_of_one == first ? second : first, x, 1);
    return class_hash(b);
  };
  CHECK(forks(true) == forks(false));
}

TEST_CASE("the class of nothing is no accident") {
  CHECK(class_hash(trace_builder{}) == 0);
  two_tasks p;
  p.b.load(p.one, p.x, 1);
  CHECK(class_hash(p.b) != 0);
}

}  // namespace

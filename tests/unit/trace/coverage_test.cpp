#include "framework/trace/coverage.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct two_tasks {
  trace_builder b;
  task_id one = b.task("one");
  task_id other = b.task("other");
  resource_id m = b.mutex("m");
  resource_id n = b.mutex("n");
  resource_id x = b.memory("x");
};

TEST_CASE("what one task does alone is no ordering") {
  two_tasks p;
  p.b.store(p.one, p.x, 0, 1);
  p.b.load(p.one, p.x, 1);
  p.b.load(p.other, p.m, 0);
  CHECK(coverage_of(p.b.done()).orderings.empty());
}

TEST_CASE("a load directly after another task's store is an ordering, the contrary another one") {
  two_tasks p;
  p.b.store(p.one, p.x, 0, 1);
  p.b.load(p.other, p.x, 1);
  two_tasks q;
  q.b.load(q.other, q.x, 0);
  q.b.store(q.one, q.x, 0, 1);
  std::swap(q.b.raw().events[0].site, q.b.raw().events[1].site);
  const auto forwards = coverage_of(p.b.done()).orderings;
  const auto backwards = coverage_of(q.b.done()).orderings;
  REQUIRE(forwards.size() == 1);
  REQUIRE(backwards.size() == 1);
  CHECK(forwards != backwards);
}

TEST_CASE("an ordering that is met twice counts once") {
  two_tasks p;
  for (int i = 0; i < 3; ++i) {
    p.b.raw().events[p.b.store(p.one, p.x, 0, 1)].site = 1;
    p.b.raw().events[p.b.load(p.other, p.x, 1)].site = 2;
  }
  // The store before the load, and the load before the store.
  CHECK(coverage_of(p.b.done()).orderings.size() == 2);
}

TEST_CASE("a store follows all loads since the store before") {
  two_tasks p;
  const auto third = p.b.task("third");
  p.b.load(p.one, p.x, 0);
  p.b.load(p.other, p.x, 0);
  p.b.store(third, p.x, 0, 1);
  CHECK(coverage_of(p.b.done()).orderings.size() == 2);
}

TEST_CASE("operations at two resources are no ordering") {
  two_tasks p;
  p.b.lock(p.one, p.m);
  p.b.lock(p.other, p.n);
  CHECK(coverage_of(p.b.done()).orderings.empty());
}

TEST_CASE("a lock that is held, waited for and free makes its states") {
  two_tasks p;
  const auto states = [&] { return coverage_of(p.b.done()).lock_states.size(); };
  p.b.load(p.one, p.x, 0);
  CHECK(states() == 0);
  p.b.lock(p.one, p.m);
  CHECK(states() == 1);
  p.b.blocks(p.other, operation::mutex_lock, p.m);
  CHECK(states() == 2);
  p.b.blocks(p.other, operation::mutex_lock, p.m);  // tried again in vain
  CHECK(states() == 2);
  p.b.unlock(p.one, p.m);
  CHECK(states() == 3);
  p.b.lock(p.other, p.m);
  CHECK(states() == 4);
  p.b.unlock(p.other, p.m);
  CHECK(states() == 5);  // free, and nobody waits
  p.b.lock(p.one, p.m);
  CHECK(states() == 5);
}

TEST_CASE("locks taken in another order come to the same states") {
  two_tasks p;
  p.b.lock(p.one, p.m);
  p.b.lock(p.other, p.n);
  two_tasks q;
  q.b.lock(q.other, q.n);
  q.b.lock(q.one, q.m);
  const auto one = coverage_of(p.b.done()).lock_states;
  const auto other = coverage_of(q.b.done()).lock_states;
  REQUIRE(one.size() == 2);
  REQUIRE(other.size() == 2);
  // They end alike, and begin with another lock.
  std::vector<std::uint64_t> common;
  std::set_intersection(one.begin(), one.end(), other.begin(), other.end(),
                        std::back_inserter(common));
  CHECK(common.size() == 1);
}

TEST_CASE("a condition wait gives its mutex up, and a death all that is held") {
  two_tasks p;
  const auto c = p.b.resource("c", resource_kind::condition);
  p.b.lock(p.one, p.m);
  p.b.blocks(p.one, operation::cond_wait, c, p.m);
  CHECK(coverage_of(p.b.done()).lock_states.size() == 2);
  p.b.does(p.one, operation::cond_wait, c, {.second = p.m});
  CHECK(coverage_of(p.b.done()).lock_states.size() == 2);  // as before the wait
  p.b.lock(p.one, p.n);
  CHECK(coverage_of(p.b.done()).lock_states.size() == 3);
  p.b.ends(p.one);
  CHECK(coverage_of(p.b.done()).lock_states.size() == 3);  // as when nothing was held
}

TEST_CASE("a resource with a name keeps its number, whoever comes first") {
  two_tasks p;
  p.b.load(p.one, p.x, 0);
  two_tasks q;
  q.b.load(q.other, q.x, 0);
  CHECK(stable_resources(p.b.done()) == stable_resources(q.b.done()));
}

TEST_CASE("resources without names are known by the steps that touch them") {
  const auto numbered = [](bool one_first) {
    trace_builder b;
    const auto one = b.task("one");
    const auto other = b.task("other");
    const auto first = b.mutex("mutex 1");
    const auto second = b.mutex("mutex 2");
    b.lock(one_first ? one : other, first);
    b.lock(one_first ? other : one, second);
    auto stable = stable_resources(b.done());
    if (!one_first) std::swap(stable[0], stable[1]);
    return stable;
  };
  const auto all = numbered(true);
  CHECK(all == numbered(false));
  CHECK(all[0] != all[1]);
}

}  // namespace

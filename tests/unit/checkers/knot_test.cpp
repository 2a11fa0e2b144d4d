#include "checkers/knot.hpp"

#include <bit>

#include "tests/catch.hpp"
#include "tests/unit/checkers/property.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

using mask = std::uint32_t;

constexpr mask bit(std::size_t i) { return mask{1} << i; }

// Up to eight tasks, of which some are dead and some wait for any of some others.
struct graph {
  std::size_t size = 0;
  mask dead = 0;
  mask waiting = 0;
  std::array<mask, 8> releasers{};
};

graph any_graph() {
  graph g;
  g.size = *rc::gen::inRange<std::size_t>(1, 9);
  const auto some = rc::gen::inRange<mask>(0, 256);
  g.dead = *some & *some & *some;  // one in eight
  g.waiting = *some | *some;       // three in four
  for (auto& r : g.releasers) r = *some & *some & *some;
  return g;
}

trace as_trace(const graph& g) {
  trace_builder b;
  const auto r = b.resource("r", resource_kind::semaphore);
  for (std::size_t i = 0; i < g.size; ++i) b.task("task " + std::to_string(i));
  for (std::size_t i = 0; i < g.size; ++i) {
    if ((g.dead & bit(i)) != 0) b.ends(task_id(i));
    if ((g.waiting & bit(i)) == 0) continue;
    std::vector<task_id> releasers;
    for (std::size_t k = 0; k < g.size; ++k)
      if ((g.releasers[i] & bit(k)) != 0) releasers.push_back(task_id(k));
    b.waits(task_id(i), operation::sem_wait, r, releasers);
  }
  return b.done();
}

// Straight from the definition: of all sets of living, waiting tasks whose living releasers are all
// members, the greatest. (The union of two such sets is one, so the largest contains all others.)
mask greatest_knot(const graph& g) {
  const mask everybody = bit(g.size) - 1;
  const mask alive = everybody & ~g.dead;
  mask best = 0;
  for (mask set = 0; set <= everybody; ++set) {
    if ((set & ~(alive & g.waiting)) != 0) continue;
    bool closed = true;
    for (std::size_t i = 0; i < g.size; ++i)
      if ((set & bit(i)) != 0) closed = closed && (g.releasers[i] & alive & ~set) == 0;
    if (closed && std::popcount(set) > std::popcount(best)) best = set;
  }
  return best;
}

TEST_CASE("the knot is the greatest closed set of waiting tasks, as found by trying all sets") {
  int with_knot = 0;
  int partial = 0;
  CHECK(holds(1, 5000, [&] {
    const auto g = any_graph();
    const auto what = as_trace(g);
    mask found = 0;
    for (const auto* wait : checkers::knot(what)) found |= bit(index(wait->task));
    RC_ASSERT(found == greatest_knot(g));
    if (found != 0) ++with_knot;
    if (found != 0 && (g.waiting & ~g.dead & (bit(g.size) - 1) & ~found) != 0) ++partial;
  }));
  CHECK(with_knot > 1000);  // or the comparison would say little
  CHECK(partial > 100);
}

TEST_CASE("the knot is in the order of the tasks, whatever the order of the waits") {
  trace_builder b;
  const auto m = b.mutex("m");
  const auto first = b.task("first");
  const auto second = b.task("second");
  b.waits(second, operation::mutex_lock, m, {first});
  b.waits(first, operation::mutex_lock, m, {second});
  const auto found = checkers::knot(b.done());
  REQUIRE(found.size() == 2);
  CHECK(found[0]->task == first);
  CHECK(found[1]->task == second);
}

}  // namespace

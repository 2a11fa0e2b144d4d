#include <set>

#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

TEST_CASE("the checkers come in the order of how much they tell") {
  strings order;
  for (const auto& c : checkers::all()) order.emplace_back(c.name);
  CHECK(order == strings{"crash", "deadlock", "data_race", "atomicity", "lost_update",
                         "not_linearizable", "unchecked_failure", "message", "starvation",
                         "expectation", "exit", "lock_order", "hang", "leak", "permissions"});
}

TEST_CASE("a checker is called like the kind of violation that it finds") {
  std::set<violation_kind> kinds;
  for (const auto& c : checkers::all()) {
    const auto kind = violation_kind_named(c.name);
    REQUIRE(kind.has_value());
    kinds.insert(*kind);
    CHECK_FALSE(c.description.empty());
  }
  CHECK(kinds.size() == violation_kind_count);
}

TEST_CASE("every checker is silent about an empty trace and about an uneventful one") {
  trace_builder b;
  for (const auto& c : checkers::all()) CHECK(c.check(b.done(), {}).empty());
  const auto teller = b.task("teller 0");
  const auto m = b.mutex("m");
  const auto x = b.memory("x");
  b.does(teller, operation::start);
  b.lock(teller, m);
  b.load(teller, x, 100);
  b.store(teller, x, 100, 110);
  b.unlock(teller, m);
  b.ends(teller);
  for (const auto& c : checkers::all()) CHECK(c.check(b.done(), {}).empty());
}

TEST_CASE("what a checker finds has its own kind, and evidence that exists") {
  trace_builder b;
  const auto child_of_none = b.task("teller 0");
  b.does(child_of_none, operation::open, no_resource, {.result = 5});
  b.ends(child_of_none, 2);
  const auto killed = b.task("teller 1");
  b.dies(killed, {.kind = task_end::how::signalled, .code = 11});
  std::size_t found = 0;
  for (const auto& c : checkers::all())
    for (const auto& v : c.check(b.done(), {})) {
      ++found;
      CHECK(v.kind == violation_kind_named(c.name));
      CHECK(std::is_sorted(v.evidence.begin(), v.evidence.end()));
      for (const auto i : v.evidence) CHECK(i < b.done().events.size());
    }
  CHECK(found == 3);
}

}  // namespace

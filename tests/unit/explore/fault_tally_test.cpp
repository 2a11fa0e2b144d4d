#include "framework/explore/fault_tally.hpp"
#include "framework/trace/fault_plan.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;

trace with_fault(fault_kind kind, std::uint32_t chances) {
  trace t;
  t.fault_chances.resize(fault_kind_count);
  t.fault_chances[index(kind)] = chances;
  event e;
  e.op = operation::fault;
  e.before = index(kind);
  t.events.push_back(e);
  return t;
}

TEST_CASE("faults are counted over all executions, with their chances") {
  explore::fault_tally tally(parse_faults("kill:1,eintr:2"));
  tally.add(with_fault(fault_kind::kill, 3));
  tally.add(with_fault(fault_kind::kill, 4));
  const auto counts = tally.counts();
  REQUIRE(counts.size() == 2);
  CHECK(counts[0].name == "kill");
  CHECK(counts[0].happened == 2);
  CHECK(counts[0].chances == 7);
  CHECK(counts[1].name == "eintr");
  CHECK(counts[1].happened == 0);
  CHECK(counts[1].chances == 0);
}

TEST_CASE("of faults that are not allowed nothing is told") {
  explore::fault_tally tally(parse_faults("stop"));
  tally.add(with_fault(fault_kind::kill, 3));
  REQUIRE(tally.counts().size() == 1);
  CHECK(tally.counts()[0].happened == 0);
}

}  // namespace

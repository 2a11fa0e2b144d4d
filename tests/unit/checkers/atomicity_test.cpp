#include <map>
#include <set>

#include "tests/catch.hpp"
#include "tests/unit/checkers/property.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct bank {
  trace_builder b;
  task_id teller = b.task("teller");
  task_id auditor = b.task("auditor");
  task_id third = b.task("boss");
  resource_id transfer = b.resource("transfer", resource_kind::logical);
  resource_id audit = b.resource("audit", resource_kind::logical);
  resource_id savings = b.memory("savings");
  resource_id current = b.memory("current");

  std::size_t enter(task_id task, resource_id block) {
    return b.does(task, operation::enter_block, block);
  }
  void leave(task_id task) { b.does(task, operation::leave_block); }
  std::size_t reads(task_id task, resource_id x) { return b.load(task, x, 0); }
  std::size_t writes(task_id task, resource_id x) { return b.store(task, x, 0, 1); }
  std::size_t access(task_id task, resource_id x, bool write) {
    return write ? writes(task, x) : reads(task, x);
  }
  [[nodiscard]] std::vector<violation> found() const {
    return checkers::check_atomicity(b.done(), {});
  }
};

TEST_CASE("a write between two accesses, or a read between two writes, breaks a block") {
  const bool first = GENERATE(false, true);
  const bool foreign = GENERATE(false, true);
  const bool last = GENERATE(false, true);
  bank k;
  k.enter(k.auditor, k.audit);
  k.access(k.auditor, k.savings, first);
  k.access(k.teller, k.savings, foreign);
  k.access(k.auditor, k.savings, last);
  k.leave(k.auditor);
  CAPTURE(first, foreign, last);
  CHECK(k.found().size() == (foreign || (first && last) ? 1 : 0));
}

TEST_CASE("an atomicity violation is told with the accesses and their shape") {
  bank k;
  const auto entered = k.enter(k.auditor, k.audit);
  const auto first = k.reads(k.auditor, k.savings);
  const auto foreign = k.writes(k.teller, k.savings);
  const auto last = k.reads(k.auditor, k.savings);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::atomicity);
  CHECK(found[0].resource == "audit");
  CHECK(found[0].tasks == strings{"auditor", "teller"});
  CHECK(found[0].evidence == indices{entered, first, foreign, last});
  CHECK(found[0].message ==
        "audit of auditor is not atomic: after it began, teller wrote savings at code.cpp:2, and "
        "before it ended, auditor read savings at code.cpp:3: others came between");
  CHECK(tells(found[0], "the accesses are read-write-read"));
}

TEST_CASE("the accesses told are those that are next to each other at their place") {
  bank k;
  const auto entered = k.enter(k.auditor, k.audit);
  const auto first = k.reads(k.auditor, k.savings);
  const auto next = k.writes(k.teller, k.savings);
  const auto latest = k.writes(k.third, k.savings);
  const auto last = k.reads(k.auditor, k.savings);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{entered, first, next, latest, last});
}

TEST_CASE("a transfer that is seen half way is a circle of two blocks") {
  bank k;
  k.enter(k.teller, k.transfer);
  k.enter(k.auditor, k.audit);
  k.writes(k.teller, k.savings);
  k.reads(k.auditor, k.savings);
  k.reads(k.auditor, k.current);
  k.leave(k.auditor);
  k.writes(k.teller, k.current);
  k.leave(k.teller);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].resource == "transfer");
  CHECK(found[0].tasks == strings{"teller", "auditor"});
}

TEST_CASE("blocks that overlap in time without meeting, or meet in one order, are atomic") {
  bank k;
  k.enter(k.teller, k.transfer);
  k.enter(k.auditor, k.audit);
  k.writes(k.teller, k.savings);
  k.reads(k.auditor, k.savings);
  k.writes(k.teller, k.current);
  k.reads(k.auditor, k.current);
  k.leave(k.auditor);
  k.leave(k.teller);
  CHECK(k.found().empty());
}

TEST_CASE("what happens outside of all blocks may be torn apart") {
  bank k;
  k.enter(k.teller, k.transfer);
  k.leave(k.teller);
  k.reads(k.auditor, k.savings);
  k.writes(k.teller, k.savings);
  k.reads(k.auditor, k.savings);
  CHECK(k.found().empty());
}

TEST_CASE("a circle may lead through the program order of a third task") {
  bank k;
  k.enter(k.auditor, k.audit);
  k.reads(k.auditor, k.savings);
  k.writes(k.teller, k.savings);
  k.writes(k.teller, k.current);
  k.reads(k.auditor, k.current);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"auditor", "teller"});
}

TEST_CASE("a block in a block belongs to the outer one") {
  bank k;
  k.enter(k.auditor, k.audit);
  k.enter(k.auditor, k.transfer);
  k.reads(k.auditor, k.savings);
  k.leave(k.auditor);
  k.writes(k.teller, k.savings);
  k.reads(k.auditor, k.savings);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].resource == "audit");
}

TEST_CASE("a compare-exchange that fails is a read, one that succeeds changes") {
  bank k;
  const std::uint64_t now = GENERATE(5, 6);
  k.enter(k.auditor, k.audit);
  k.reads(k.auditor, k.savings);
  k.b.modify(k.teller, k.savings, 5, now);
  k.reads(k.auditor, k.savings);
  CHECK(k.found().size() == (now == 6 ? 1 : 0));
}

TEST_CASE("blocks of one name are told once, and without blocks there is nothing to tell") {
  bank k;
  for (int i = 0; i < 3; ++i) {
    k.enter(k.auditor, k.audit);
    k.reads(k.auditor, k.savings);
    k.writes(k.teller, k.savings);
    k.reads(k.auditor, k.savings);
    k.leave(k.auditor);
  }
  CHECK(k.found().size() == 1);
}

// Brute force: is there an order of the transactions that keeps all conflicts in theirs?
bool serialisable(const std::vector<std::pair<int, std::pair<int, bool>>>& accesses, int count) {
  std::map<int, std::set<int>> before;
  for (std::size_t j = 0; j < accesses.size(); ++j)
    for (std::size_t i = 0; i < j; ++i) {
      const auto& [ti, a] = accesses[i];
      const auto& [tj, b] = accesses[j];
      if (ti != tj && a.first == b.first && (a.second || b.second)) before[tj].insert(ti);
    }
  std::set<int> left;
  for (int t = 0; t < count; ++t) left.insert(t);
  for (bool goes_on = true; goes_on;) {
    goes_on = false;
    for (const auto t : left) {
      const auto blocked =
          std::any_of(before[t].begin(), before[t].end(), [&](int u) { return left.contains(u); });
      if (blocked) continue;
      left.erase(t);
      goes_on = true;
      break;
    }
  }
  return left.empty();
}

TEST_CASE("a random execution of three blocks is judged as by trying all orders") {
  CHECK(holds(20, 2'000, [] {
    bank k;
    const std::array tasks{k.teller, k.auditor, k.third};
    const auto same = k.b.resource("block", resource_kind::logical);
    for (const auto t : tasks) k.enter(t, same);
    std::vector<std::pair<int, std::pair<int, bool>>> accesses;
    const auto count = *rc::gen::inRange(0, 8);
    for (int i = 0; i < count; ++i) {
      const auto t = *rc::gen::inRange(0, 3);
      const auto x = *rc::gen::inRange(0, 2);
      const auto write = *rc::gen::arbitrary<bool>();
      accesses.push_back({t, {x, write}});
      k.access(tasks.at(static_cast<std::size_t>(t)), x == 0 ? k.savings : k.current, write);
    }
    RC_ASSERT(k.found().empty() == serialisable(accesses, 3));
  }));
}

}  // namespace

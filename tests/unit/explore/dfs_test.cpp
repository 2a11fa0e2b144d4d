#include "framework/explore/dfs.hpp"

#include <optional>
#include <random>

#include "forkloom/error.hpp"
#include "framework/explore/search_tally.hpp"
#include "tests/catch.hpp"
#include "tests/unit/explore/toy.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

// Explores it, and checks that each schedule within the bound is executed exactly once.
std::size_t count_schedules(const toy& program, std::optional<std::uint32_t> bound = {}) {
  explore::dfs dfs(bound);
  const auto done = explore_all(program, dfs);
  std::set<std::string> found;
  for (const auto& e : done.executions) found.insert(schedule_text(e));
  CHECK(found.size() == done.executions.size());
  CHECK(found == all_schedules(program, bound.value_or(1'000)));
  return done.executions.size();
}

TEST_CASE("two tasks of two steps have six interleavings") {
  CHECK(count_schedules({"wawb", "wcwd"}) == 6);
}

TEST_CASE("a bound of preemptions leaves the others out") {
  CHECK(count_schedules({"wawb", "wcwd"}, 0) == 2);
  CHECK(count_schedules({"wawb", "wcwd"}, 1) == 4);  // 0|11|0 and 1|00|1 besides
  CHECK(count_schedules({"wawb", "wcwd"}, 2) == 6);
}

TEST_CASE("schedules with fewer preemptions come first") {
  explore::dfs dfs(std::nullopt);
  const auto done = explore_all({"wawb", "wcwd"}, dfs);
  std::size_t before = 0;
  for (const auto& e : done.executions) {
    const auto preemptions = static_cast<std::size_t>(
        std::count(e.pick_kinds.begin(), e.pick_kinds.end(), pick_kind::preemption));
    CHECK(preemptions >= before);
    before = preemptions;
  }
  CHECK(before == 2);
}

TEST_CASE("draws are branches, and their values combine") {
  CHECK(count_schedules({"dxdy"}) == 9);
  CHECK(count_schedules({"dx", "dy"}) == 18);
  CHECK(count_schedules({"dxrx", "dy"}, 0) == 18);
}

TEST_CASE("attempts that wait are steps") { CHECK(count_schedules({"lmum", "lmum"}) == 4); }

TEST_CASE("a task that yields does not go on as long as others can") {
  CHECK(count_schedules({"way.wa", "wb"}) == 3);
}

TEST_CASE("random programs have the interleavings that recursion finds") {
  std::mt19937_64 random(4);
  const std::vector<std::string> operations{"rx", "wx", "lm", "um", "va", "pa", "dx", "y."};
  for (int i = 0; i < 60; ++i) {
    toy program(3);
    for (auto& word : program)
      for (auto n = random() % 4; n > 0; --n) word += operations[random() % operations.size()];
    INFO(program[0] + " " + program[1] + " " + program[2]);
    count_schedules(program);
    count_schedules(program, 0);
    count_schedules(program, 1);
  }
}

TEST_CASE("it says what was all") {
  explore::dfs all({});
  CHECK(explore_all({"wx", "wx"}, all).conclusion == "all 2 interleavings explored, none violates");
  explore::dfs bounded(1);
  CHECK(explore_all({"wxwx", "wx"}, bounded).conclusion ==
        "all 3 interleavings with at most 1 preemption explored, none violates");
  explore::dfs some({});
  CHECK(explore_all({"wxwx", "wxwx"}, some, 3).conclusion ==
        "3 interleavings explored, none violates, among them all with at most 0 preemptions; "
        "there are more");
  explore::dfs deadlocking({});
  CHECK(explore_all({"lm", "lm"}, deadlocking).conclusion ==
        "all 2 interleavings explored, 2 of them violate");
}

TEST_CASE("more tasks than it can tell apart are refused by their number") {
  const toy many(65, "wx");
  explore::dfs dfs({});
  CHECK_THROWS_WITH(explore_all(many, dfs),
                    Catch::Contains("65 tasks") && Catch::Contains("at most 64"));
}

TEST_CASE("as many tasks as it can tell apart are followed") {
  toy many(64);
  many.front() = "wx";
  explore::dfs dfs({});
  CHECK(explore_all(many, dfs).conclusion == "the only interleaving explored, it does not violate");
}

TEST_CASE("how many were cut off is said, and how many began in vain") {
  explore::search_tally tally;
  trace cut;
  cut.how = ending::step_limit;
  cut.detail = "9 steps";
  tally.count({}, false);
  tally.count(cut, false);
  CHECK(tally.reservations() ==
        "; 1 of them was cut off after 9 steps, and what may come later is not known");
  tally.count(cut, false);
  CHECK(tally.reservations().starts_with("; 2 of them were cut off"));
  CHECK(explore::search_tally::repeated(3, 3).empty());
  CHECK(explore::search_tally::repeated(2, 1) == "; 1 more execution repeated it");
  CHECK(explore::search_tally::repeated(5, 2) == "; 3 more executions repeated one of them");
}

TEST_CASE("what was cut off is said") {
  explore::dfs dfs({});
  const toy program{"wx"};
  auto t = run_toy(program, *dfs.next(0));
  t.how = ending::step_limit;
  t.detail = "20 steps without progress";
  dfs.learn(t, false);
  CHECK(
      dfs.conclusion() ==
      "the only interleaving explored, it does not violate; it was cut off after 20 steps without "
      "progress, and what may come later is not known");
}

TEST_CASE("an execution that does not follow its course is said to have departed") {
  explore::dfs dfs({});
  const toy program{"wx", "wx"};
  const auto first = run_toy(program, *dfs.next(0));
  dfs.learn(first, false);
  REQUIRE(dfs.next(1));
  dfs.learn(first, false);
  CHECK(dfs.conclusion().find("1 execution departed") != std::string::npos);
}

}  // namespace

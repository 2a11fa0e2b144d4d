// The benches whose figures the manual speaks of: that they run, and say what was measured.
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::command;
using forkloom::tests::ipc_objects;
using json = nlohmann::json;

constexpr auto bench = FORKLOOM_BENCH;
constexpr auto stress = FORKLOOM_STRESS;

}  // namespace

TEST_CASE("without control, what cannot come to its end fails in every run", "[acceptance]") {
  const auto before = ipc_objects();
  const auto done = command(stress, {"0.1", "a barrier for one more than come"}).wait();
  CHECK(done.code == 0);
  unsigned long runs = 0;
  unsigned long failures = 0;
  REQUIRE(std::istringstream(done.out) >> runs >> failures);
  CHECK(runs > 0);
  CHECK(failures == runs);
  CHECK(ipc_objects() == before);
}

TEST_CASE("what is to run without control must be a scenario", "[acceptance]") {
  const auto done = command(stress, {"0.1", "no such scenario"}).wait();
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("usage: forkloom-stress SECONDS SCENARIO"));
}

TEST_CASE("how soon strategies find a failure is told for each, and summed up", "[acceptance]") {
  const auto done =
      command(bench, {"finds", "--seeds", "3", "--executions", "2", "--json", "--scenarios",
                      "a barrier for one more than come", "--strategies", "random", "rr"})
          .wait();
  CHECK(done.code == 0);
  std::istringstream lines(done.out);
  std::string row;
  std::string summary;
  REQUIRE(std::getline(lines, row));
  REQUIRE(std::getline(lines, summary));
  const auto told = json::parse(row);
  CHECK(told.at("strategies").at("random") == json{{"median", 1}, {"missed", 0}});
  CHECK(told.at("strategies").at("rr") == json{{"median", 1}, {"missed", 0}});
  CHECK(told.at("stress_failures") == told.at("stress_runs"));
  CHECK(json::parse(summary).at("found_by_all") == 1);
}

// Strategies that learn, that the user wrote, and what is told of a campaign as a whole.
#include <nlohmann/json.hpp>

#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::run_forkloom;
using json = nlohmann::json;

json result_of(const std::string& text) { return json::parse(text).at("scenarios").at(0); }

}  // namespace

TEST_CASE("what a strategy finds is replayed from its token, whatever it has learned",
          "[acceptance]") {
  const auto* strategy = GENERATE("surw", "guided", "portfolio", "swarm", "long_turns:1", "pct:2",
                                  "dfs", "dfs:1", "dpor", "dpor:1");
  CAPTURE(strategy);
  const auto found =
      run_forkloom({"run", "a lost deposit", "--json", "--strategy", strategy, "--seed", "3"});
  const auto violation = result_of(found.out).at("violations").at(0);
  CHECK(violation.at("reproduced") == 3);
  const auto again = run_forkloom({"replay", violation.at("token"), "--json"});
  CHECK(again.code == 0);
  const auto replayed = result_of(again.out).at("violations").at(0);
  CHECK(replayed.at("reproduced") == 1);
  CHECK(replayed.at("kind") == "lost_update");
}

TEST_CASE("a search that has explored everything ends, says so, and estimates nothing",
          "[acceptance]") {
  // Two tasks of four steps each, which commute.
  const auto [strategy, said, executions] = GENERATE(table<std::string, std::string, int>(
      {{"dfs", "all 70 interleavings explored, none violates", 70},
       {"dfs:1", "all 8 interleavings with at most 1 preemption explored, none violates", 8},
       {"dpor", "the only interleaving (happens-before class) explored, it does not violate", 1},
       {"dpor:1",
        "the only interleaving (happens-before class) with at most 1 preemption explored, it does "
        "not violate",
        1}}));
  const std::vector<std::string> arguments{"run", "deposits in turn", "--executions",
                                           "500", "--strategy",       strategy};
  auto as_json = arguments;
  as_json.emplace_back("--json");
  const auto done = run_forkloom(as_json);
  CHECK(done.code == 0);
  const auto result = result_of(done.out);
  CHECK(result.at("conclusion") == said);
  CHECK(result.at("executions") == executions);
  CHECK(result.at("estimates").is_null());
  CHECK_THAT(run_forkloom(arguments).out, Contains(said));
}

TEST_CASE("a strategy of the user's is listed with the others", "[acceptance]") {
  const auto done = run_forkloom({"strategies"});
  CHECK_THAT(done.out, Contains("long_turns[:N] turns of N steps") && Contains("portfolio") &&
                           Contains("guided") && Contains("swarm") && Contains("surw"));
}

TEST_CASE("a strategy that picks a task which cannot go on is an error that names both",
          "[acceptance]") {
  const auto done =
      run_forkloom({"run", "a lost deposit", "--strategy", "always_a_stranger", "--json"});
  CHECK(done.code == 3);
  CHECK_THAT(result_of(done.out).at("error").get<std::string>(),
             Contains("strategy always_a_stranger picked task 77 at step 1"));
}

TEST_CASE("parameters that a strategy does not take are refused, and those that there are named",
          "[acceptance]") {
  for (const auto* strategy :
       {"dfs:x", "dpor:x", "dpor:-1", "dpor:", "dpor:1001", "dpor:99999999999", "dpor:1:2",
        "always_a_stranger:3", "portfolio:2", "surw:x", "swarm:1", "guided:", "lng_turns"}) {
    const auto done = run_forkloom({"run", "a lost deposit", "--strategy", strategy});
    CAPTURE(strategy);
    CHECK(done.code == 2);
    CHECK_THAT(done.err, Contains("surw"));
  }
}

TEST_CASE("a campaign that shows nothing new ends early if asked, and says so", "[acceptance]") {
  const std::vector<std::string> arguments{"run", "deposits in turn", "--executions", "5000",
                                           "--until-saturated"};
  CHECK_THAT(run_forkloom(arguments).out, Contains("saturated: nothing new in the last 200"));
  auto as_json = arguments;
  as_json.emplace_back("--json");
  const auto result = result_of(run_forkloom(as_json).out);
  CHECK(result.at("coverage").at("saturated") == true);
  CHECK(result.at("coverage").at("classes") == 1);
  CHECK(result.at("executions").get<int>() < 1000);
}

TEST_CASE("without being asked a campaign goes on when it shows nothing new", "[acceptance]") {
  const auto result =
      result_of(run_forkloom({"run", "deposits in turn", "--executions", "300", "--json"}).out);
  CHECK(result.at("executions") == 300);
  CHECK(result.at("coverage").at("saturated") == false);
}

TEST_CASE("progress goes to stderr if asked, and not otherwise", "[acceptance]") {
  const auto told = run_forkloom({"run", "deposits in turn", "--progress"});
  CHECK_THAT(told.err, Contains("deposits in turn: 50 executions") && Contains(" 1 class,") &&
                           Contains("orderings") && Contains("lock states"));
  CHECK(run_forkloom({"run", "deposits in turn"}).err.empty());
}

TEST_CASE("how often a scenario fails is estimated, with its uncertainty", "[acceptance]") {
  const auto result = result_of(run_forkloom({"run", "a lost deposit", "--executions", "200",
                                              "--keep-going", "--strategy", "random", "--json"})
                                    .out);
  const auto& estimates = result.at("estimates");
  const auto low = estimates.at("failure_probability_low").get<double>();
  const auto p = estimates.at("failure_probability").get<double>();
  const auto high = estimates.at("failure_probability_high").get<double>();
  CHECK(0 < low);
  CHECK(low < p);
  CHECK(p < high);
  CHECK(high < 1);
  CHECK(estimates.at("executions_for_95_percent_to_fail").get<int>() >= 1);
  // Two tasks of four steps each: a start, a load, a store and an exit.
  CHECK(estimates.at("schedules_log2").get<double>() > 3);
  CHECK(estimates.at("schedules_log2").get<double>() < 9);
}

TEST_CASE("the estimates are in the report if it is verbose", "[acceptance]") {
  CHECK_THAT(run_forkloom({"run", "deposits in turn", "--verbose"}).out,
             Contains("seen: 1 class,") && Contains("estimated: ") && Contains("no failure"));
}

// A failure is made small before it is reported.
#include <nlohmann/json.hpp>

#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::run_forkloom;
using json = nlohmann::json;

json violation_of(const std::vector<std::string>& arguments,
                  const std::vector<std::string>& environment = {"FORKLOOM_SHRINK=500"}) {
  const auto done = run_forkloom(arguments, environment);
  return json::parse(done.out).at("scenarios").at(0).at("violations").at(0);
}

const std::vector<std::string> lost{"run", "an undeclared lost deposit", "--strategy", "random",
                                    "--json"};

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("a lost update found at random ends with the one preemption that it needs",
          "[acceptance]") {
  const std::string seed = GENERATE("1", "2", "3", "4");
  CAPTURE(seed);
  const auto violation = violation_of(with(lost, {"--seed", seed}));
  const auto& shrunk = violation.at("shrunk");
  REQUIRE(shrunk.is_object());
  CHECK(shrunk.at("after").at("preemptions") == 1);
  CHECK(shrunk.at("complete") == true);
  CHECK(shrunk.at("executions") <= 500);
  REQUIRE(shrunk.at("preemptions").size() == 1);
  const auto& preemption = shrunk.at("preemptions").at(0);
  CHECK_THAT(preemption.at("operation").get<std::string>(), Contains("store account"));
  CHECK_THAT(preemption.at("source").get<std::string>(), Contains("scenarios.cpp:"));
  CHECK(preemption.at("task") != preemption.at("instead"));
  CHECK(shrunk.at("critical_step").is_number());
  CHECK(violation.at("reproduced") == violation.at("replays"));
}

TEST_CASE("the token of a shrunk failure and that of the one found replay the same kind",
          "[acceptance]") {
  const auto found = violation_of(lost);
  const auto token = found.at("token").get<std::string>();
  const auto original = found.at("shrunk").at("original").get<std::string>();
  CHECK_THAT(token, Contains("-schedule."));
  CHECK_THAT(original, Contains("-random-"));
  for (const auto& one : {token, original}) {
    CAPTURE(one);
    const auto again = violation_of({"replay", one, "--json"});
    CHECK(again.at("kind") == "lost_update");
    CHECK(again.at("reproduced") == 1);
    CHECK(again.at("shrunk").is_null());
  }
}

TEST_CASE("shrinking comes to the same each time", "[acceptance]") {
  CHECK(violation_of(lost).at("token") == violation_of(lost).at("token"));
}

TEST_CASE("shrinking can be switched off and bounded", "[acceptance]") {
  CHECK(violation_of(with(lost, {"--no-shrink"})).at("shrunk").is_null());
  CHECK(violation_of(with(lost, {"--shrink-budget", "0"})).at("shrunk").is_null());
  CHECK(violation_of(lost, {"FORKLOOM_SHRINK=0"}).at("shrunk").is_null());
  CHECK(violation_of(with(lost, {"--shrink-budget", "9"})).at("shrunk").at("executions") <= 9);
  CHECK_THAT(violation_of(with(lost, {"--no-shrink"})).at("token").get<std::string>(),
             Contains("-random-"));
}

TEST_CASE("a failure that is expected is shrunk only if it is all that is read", "[acceptance]") {
  const auto alone = violation_of({"run", "a lost deposit", "--json"});
  CHECK(alone.at("shrunk").is_object());
  const auto among = violation_of({"run", "a lost deposit", "deposits in turn", "--json"});
  CHECK(among.at("shrunk").is_null());
}

TEST_CASE("a report says which preemptions matter, and when the failure became certain",
          "[acceptance]") {
  const auto text =
      run_forkloom({"run", "an undeclared lost deposit"}, {"FORKLOOM_SHRINK=500"}).out;
  CHECK_THAT(text, Contains("1 preemption of ") && Contains(" matters:\n  step ") &&
                       Contains("which was about to store account") && Contains("After step ") &&
                       Contains("it fails however it goes on (20 of 20 tries)") &&
                       Contains("As it was found: fl1-"));
}

TEST_CASE("a budget that is no number is a usage error", "[acceptance]") {
  CHECK(run_forkloom(with(lost, {"--shrink-budget", "much"})).code == 2);
  CHECK(run_forkloom(lost, {"FORKLOOM_SHRINK=much"}).code == 2);
}

// Faults through the command: what a failure says of them when it is made small, and what tokens of
// a swarm carry.
#include <nlohmann/json.hpp>
#include <set>

#include "framework/trace/token.hpp"
#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::decode;
using forkloom::encode;
using forkloom::tests::outcome_of_command;
using forkloom::tests::run_forkloom;
using json = nlohmann::json;

outcome_of_command clerks(int seed, const std::vector<std::string>& more) {
  std::vector<std::string> all{"run", "clerks who may be killed", "--seed", std::to_string(seed)};
  all.insert(all.end(), more.begin(), more.end());
  return run_forkloom(all, {"FORKLOOM_SHRINK=500"});
}

json first_violation(const std::string& text) {
  return json::parse(text).at("scenarios").at(0).at("violations").at(0);
}

}  // namespace

TEST_CASE("a failure found with several faults ends with the one that matters", "[acceptance]") {
  int with_several = 0;
  for (int seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto done = clerks(seed, {"--strategy", "random", "--json"});
    REQUIRE(done.code == 1);
    const auto shrunk = first_violation(done.out).at("shrunk");
    REQUIRE(shrunk.is_object());
    with_several += shrunk.at("before").at("faults") > 1 ? 1 : 0;
    CHECK(shrunk.at("after").at("faults") == 1);
    CHECK(shrunk.at("after").at("preemptions") == 0);
    REQUIRE(shrunk.at("faults").size() == 1);
    CHECK(shrunk.at("faults").at(0).at("fault") == "kill");
    CHECK_THAT(shrunk.at("faults").at(0).at("source").get<std::string>(),
               Contains("faults.cpp:") || Contains("semaphore"));
  }
  CHECK(with_several > 0);
}

TEST_CASE("a report says which fault matters", "[acceptance]") {
  const auto text = clerks(1, {"--strategy", "random"}).out;
  CHECK_THAT(text, Contains("1 fault matters:\n  step ") && Contains(": fault: killed in "));
}

TEST_CASE("what a swarm finds is found again by its token, which has the faults of that execution",
          "[acceptance]") {
  std::set<std::string> seen;
  for (int seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto done = clerks(
        seed, {"--strategy", "swarm", "--faults", "kill:1,stop:1,eintr:2,wakeup:1", "--json"});
    REQUIRE(done.code == 1);
    const auto found = first_violation(done.out);
    const std::string small = found.at("token");
    const std::string original = found.at("shrunk").at("original");
    for (const auto& token : {small, original}) {
      const auto again = run_forkloom({"replay", token, "--json"});
      CHECK(again.code == 1);
      CHECK(first_violation(again.out).at("reproduced") == 1);
      CHECK(first_violation(again.out).at("kind") == "deadlock");
    }
    const auto drawn = decode(original).faults;
    CHECK(decode(small).faults == drawn);
    CHECK(drawn.most[index(forkloom::fault_kind::kill)] == 1);
    seen.insert(to_string(drawn));
  }
  // Which of the three others were on.
  CHECK(seen.size() > 2);
}

TEST_CASE("a swarm tells which faults had no chance, however few its executions are",
          "[acceptance]") {
  // One execution has all that is allowed, so faults without a chance are told as ever.
  const auto done = run_forkloom({"run", "deposits in turn", "--strategy", "swarm", "--executions",
                                  "1", "--faults", "stop:1,partial:1"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("partial had no chance") && !Contains("stop had no chance"));
}

TEST_CASE("a token with faults is of its scenario alone", "[acceptance]") {
  const auto found = clerks(1, {"--no-shrink", "--json"});
  auto token = decode(first_violation(found.out).at("token").get<std::string>());
  REQUIRE(!token.faults.empty());
  token.scenario = forkloom::scenario_hash("deposits in turn");
  const auto other = run_forkloom({"replay", encode(token)});
  // It is a token of that scenario now, whose execution is another one.
  CHECK(other.code == 0);
  CHECK_THAT(other.out, Contains("the replay departed"));
  token.scenario = forkloom::scenario_hash("none of that name");
  const auto none = run_forkloom({"replay", encode(token)});
  CHECK(none.code == 2);
  CHECK_THAT(none.err, Contains("scenario"));
}

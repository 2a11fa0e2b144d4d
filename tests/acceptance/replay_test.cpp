// `forkloom replay` and FORKLOOM_REPLAY: a failure again, from its token or its file.
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/trace/token.hpp"
#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using Catch::EndsWith;
using forkloom::tests::run_forkloom;
using forkloom::tests::scratch_directory;
using json = nlohmann::json;

json first_violation(const std::string& text) {
  return json::parse(text).at("scenarios").at(0).at("violations").at(0);
}

std::string token_of(const std::string& scenario) {
  return first_violation(run_forkloom({"run", scenario, "--json"}).out).at("token");
}

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text.substr(text.rfind('\n') + 1);
}

std::filesystem::path only_file_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  return files.front();
}

}  // namespace

TEST_CASE("the replay line of a report reproduces the same violation", "[acceptance]") {
  const auto found = run_forkloom({"run", "an undeclared lost deposit"});
  const auto line = last_line(found.out);
  const auto at = line.find("forkloom replay ");
  REQUIRE(at != std::string::npos);
  const auto token = line.substr(at + std::string("forkloom replay ").size());

  const auto again = run_forkloom({"replay", token, "--json"});
  CHECK(again.code == 1);
  const auto violation = first_violation(again.out);
  CHECK(violation.at("kind") == "lost_update");
  CHECK(violation.at("token") == token);
  CHECK(violation.at("reproduced") == 1);
  CHECK(violation.at("divergence") == "");
}

TEST_CASE("the replay of a declared violation exits with 0", "[acceptance]") {
  CHECK(run_forkloom({"replay", token_of("a lost deposit")}).code == 0);
}

TEST_CASE("replays of one token print the same bytes but for the time", "[acceptance]") {
  const auto token = token_of("a lost deposit");
  const auto body = [&] {
    const auto text = run_forkloom({"replay", token, "--verbose"}).out;
    return text.substr(text.find('\n'));  // the summary has the time
  };
  CHECK(body() == body());
}

TEST_CASE("what each strategy finds is found again by its token", "[acceptance]") {
  const std::string strategy =
      GENERATE("sticky", "sticky:3", "fair:20", "rr", "delay:3", "pct:2", "pos");
  CAPTURE(strategy);
  const auto found = run_forkloom({"run", "a lost deposit", "--strategy", strategy, "--json"});
  REQUIRE(found.code == 0);
  const auto token = first_violation(found.out).at("token").get<std::string>();
  const auto again = run_forkloom({"replay", token, "--json"});
  CHECK(again.code == 0);
  CHECK(first_violation(again.out).at("reproduced") == 1);
}

// Tellers load and store: some preemption of the first between the two loses its deposit.
TEST_CASE("what an explicit schedule finds is found again by its token", "[acceptance]") {
  json found;
  for (int step = 0; step < 10 && found.empty(); ++step) {
    const auto strategy = "schedule:" + std::to_string(step) + "p1";
    found = json::parse(run_forkloom({"run", "an undeclared lost deposit", "--strategy", strategy,
                                      "--executions", "1", "--json"})
                            .out)
                .at("scenarios")
                .at(0)
                .at("violations");
  }
  REQUIRE(found.size() == 1);
  const auto token = found[0].at("token").get<std::string>();
  CHECK_THAT(token, Contains("-schedule."));
  const auto again = run_forkloom({"replay", token, "--json"});
  CHECK(again.code == 1);
  CHECK(first_violation(again.out).at("reproduced") == 1);
  CHECK(first_violation(again.out).at("token") == token);
}

TEST_CASE("an explicit schedule that does not fit departs and says so", "[acceptance]") {
  auto token = forkloom::decode(token_of("a lost deposit"));
  token.strategy = "schedule:1p7_1d9";
  const auto done = run_forkloom({"replay", forkloom::encode(token), "--json"});
  const auto scenario = json::parse(done.out).at("scenarios").at(0);
  CHECK_THAT(run_forkloom({"replay", forkloom::encode(token)}).out,
             Contains("the replay departed"));
  CHECK(scenario.at("executions") == 1);
}

TEST_CASE("a schedule that cannot be read is a usage error", "[acceptance]") {
  const auto done = run_forkloom({"run", "a lost deposit", "--strategy", "schedule:3p1_x"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("schedule entry 'x' needs the distance in steps"));
}

TEST_CASE("the environment does not change what a token replays", "[acceptance]") {
  const auto token = token_of("a lost deposit");
  const auto done =
      run_forkloom({"replay", token, "--json"}, {"FORKLOOM_SEED=77", "FORKLOOM_STRATEGY=pct:2"});
  CHECK(first_violation(done.out).at("reproduced") == 1);
}

TEST_CASE("a saved failure file is replayed", "[acceptance]") {
  const scratch_directory directory;
  const auto saved = run_forkloom({"run", "a lost deposit", "--save", directory.path().string()});
  CHECK(saved.code == 0);
  const auto file = only_file_in(directory.path());
  CHECK_THAT(saved.err, Contains(file.string()));
  const auto again = run_forkloom({"replay", file.string(), "--json"});
  CHECK(again.code == 0);
  CHECK(first_violation(again.out).at("divergence") == "");
}

TEST_CASE("a failure file with a damaged token or trace is refused by name", "[acceptance]") {
  const scratch_directory directory;
  (void)run_forkloom({"run", "a lost deposit", "--save", directory.path().string()});
  const auto file = only_file_in(directory.path());
  auto content = json::parse(std::ifstream(file));
  const auto replay_of = [&](const json& changed) {
    std::ofstream(file) << changed;
    return run_forkloom({"replay", file.string()});
  };
  SECTION("the token") {
    content["token"] = "fl1-77";
    const auto done = replay_of(content);
    CHECK(done.code == 2);
    CHECK_THAT(done.err, Contains(file.string()) && Contains("damaged"));
  }
  SECTION("the trace") {
    content["trace"]["steps"] = "many";
    const auto done = replay_of(content);
    CHECK(done.code == 2);
    CHECK_THAT(done.err, Contains(file.string()) && Contains("\"steps\" must be a whole number"));
  }
  SECTION("another format") {
    content["forkloom_failure"] = 2;
    const auto done = replay_of(content);
    CHECK(done.code == 2);
    CHECK_THAT(done.err, Contains("\"forkloom_failure\" is 2"));
  }
}

TEST_CASE("what is no token is refused", "[acceptance]") {
  const auto [argument, message] = GENERATE(table<std::string, std::string>(
      {{"hello", "'hello' is not a replay token"},
       {"fl9-1-2-3", "made by a newer format version (9"},
       {"fl1-1-random-2", "is damaged (checksum"},
       {"/nonexistent/file.json", "cannot read /nonexistent/file.json: No such file"}}));
  const auto done = run_forkloom({"replay", argument});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains(message));
}

TEST_CASE("a token of another binary's scenario is refused", "[acceptance]") {
  const auto foreign = forkloom::encode({.scenario = forkloom::scenario_hash("somebody else's"),
                                         .strategy = "random",
                                         .seed = 1,
                                         .progress_limit = 1,
                                         .step_limit = 1});
  const auto done = run_forkloom({"replay", foreign});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("of no scenario of this binary"));
}

TEST_CASE("a token with an unknown strategy is refused", "[acceptance]") {
  const auto token = forkloom::encode({.scenario = forkloom::scenario_hash("a lost deposit"),
                                       .strategy = "luck",
                                       .seed = 1,
                                       .progress_limit = 1,
                                       .step_limit = 1});
  const auto done = run_forkloom({"replay", token});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("luck"));
}

TEST_CASE("a replay that departs from its token says so", "[acceptance]") {
  auto token = forkloom::decode(token_of("a lost deposit"));
  token.hash ^= 1;
  const auto done = run_forkloom({"replay", forkloom::encode(token), "--json"});
  const auto violation = first_violation(done.out);
  CHECK(violation.at("reproduced") == 0);
  CHECK_THAT(violation.at("divergence").get<std::string>(), Contains("departed"));
}

TEST_CASE("FORKLOOM_REPLAY makes a run replay its token alone", "[acceptance]") {
  const auto token = token_of("a lost deposit");
  const auto done = run_forkloom({"run", "*", "--json"}, {"FORKLOOM_REPLAY=" + token});
  CHECK(done.code == 0);
  const auto all = json::parse(done.out).at("scenarios");
  REQUIRE(all.size() == 1);
  CHECK(all[0].at("name") == "a lost deposit");
  CHECK(all[0].at("executions") == 1);
  CHECK(all[0].at("violations").at(0).at("token") == token);
}

TEST_CASE("FORKLOOM_REPLAY of a scenario that was not selected is a usage error", "[acceptance]") {
  const auto done =
      run_forkloom({"run", "deposits in turn"}, {"FORKLOOM_REPLAY=" + token_of("a lost deposit")});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("FORKLOOM_REPLAY"));
}

// `forkloom run`: exit codes, messages, JSON.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::run_forkloom;
using forkloom::tests::scratch_directory;
using json = nlohmann::json;

json only_scenario(const std::string& text) {
  const auto all = json::parse(text).at("scenarios");
  REQUIRE(all.size() == 1);
  return all[0];
}

}  // namespace

TEST_CASE("a run that finds nothing where nothing is expected exits with 0", "[acceptance]") {
  const auto done = run_forkloom({"run", "deposits in turn"});
  CHECK(done.code == 0);
  CHECK(done.err.empty());
  CHECK_THAT(done.out, Contains("deposits in turn: as expected, found nothing"));
}

TEST_CASE("a run that finds what the scenario declares exits with 0", "[acceptance]") {
  const auto done = run_forkloom({"run", "a lost deposit"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("forkloom replay fl1-"));
}

TEST_CASE("a violation that is not declared exits with 1", "[acceptance]") {
  CHECK(run_forkloom({"run", "an undeclared lost deposit"}).code == 1);
}

TEST_CASE("not finding what the scenario declares exits with 1 and says so", "[acceptance]") {
  const auto done = run_forkloom({"run", "a violation that is expected but not there"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("expected deadlock to be found, but 20 executions found nothing"));
}

TEST_CASE("of several scenarios the worst decides the exit code", "[acceptance]") {
  CHECK(run_forkloom({"run", "deposits in turn", "a lost deposit"}).code == 0);
  CHECK(run_forkloom({"run", "a bad exit", "deposits in turn"}).code == 1);
  CHECK(run_forkloom({"run", "a bad exit", "a scenario that throws"}).code == 3);
}

TEST_CASE("what is suppressed is counted and no violation", "[acceptance]") {
  const scratch_directory place;
  const auto file = (place.path() / "known").string();
  std::ofstream(file) << "# known since the spring\nlost_update:acc*\n";
  using words = std::vector<std::string>;
  for (const auto& how :
       {words{"--suppress", "lost_update:acc*"}, words{"--suppress", "*:scenarios.cpp:*"},
        words{"--suppressions", file}}) {
    INFO(how[1]);
    const auto done =
        run_forkloom({"run", "an undeclared lost deposit", "--executions", "50", how[0], how[1]});
    CHECK(done.code == 0);
    CHECK_THAT(done.out, Contains("found nothing") && Contains("suppressed"));
  }
}

TEST_CASE("another kind or resource is not suppressed, and a mistake is a usage error",
          "[acceptance]") {
  const auto run = [](const std::string& option, const std::string& value) {
    return run_forkloom({"run", "an undeclared lost deposit", option, value}).code;
  };
  CHECK(run("--suppress", "deadlock:account") == 1);
  CHECK(run("--suppress", "lost_update:ledger") == 1);
  CHECK(run("--suppress", "nonsense") == 2);
  CHECK(run("--suppressions", "/nowhere") == 2);
}

TEST_CASE("misbehaving bodies are violations with a name", "[acceptance]") {
  const auto [scenario, kind] = GENERATE(table<std::string, std::string>(
      {{"a body that throws", "crash: an exception left the body of thrower: no more coins"},
       {"a crash", "crash: crasher was ended by SIGSEGV"},
       {"a bad exit", "exit: quitter ended with exit code 7"},
       {"an infinite loop", "hang: spinner"},
       {"no progress", "hang: poller"}}));
  const auto done = run_forkloom({"run", scenario});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains(kind));
}

TEST_CASE("a scenario that cannot be carried out exits with 3", "[acceptance]") {
  const auto done = run_forkloom({"run", "a scenario that throws"});
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("nothing to test"));
}

TEST_CASE("a scenario that forks without end is stopped at the limit of tasks", "[acceptance]") {
  const auto before = forkloom::tests::ipc_objects();
  const auto done = run_forkloom({"run", "forks without end"});
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("more than 1024 tasks"));
  CHECK(forkloom::tests::ipc_objects() == before);
}

TEST_CASE("a scenario without a process is a usage error that says where", "[acceptance]") {
  const auto done = run_forkloom({"run", "no process at all"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("declares no process") && Contains("scenarios.cpp:"));
}

TEST_CASE("captured output names its author and cannot touch the terminal", "[acceptance]") {
  const auto done = run_forkloom({"run", "a talker"});
  CHECK_THAT(done.out, Contains("Output of talker 0\n") && Contains("    talker 0 says hello\n") &&
                           Contains("\\x1b[2Jand clears the screen"));
  CHECK(done.out.find('\x1b') == std::string::npos);
}

TEST_CASE("the JSON of a run has the fields of the contract", "[acceptance]") {
  const auto done = run_forkloom({"run", "a lost deposit", "--json", "--seed", "7"});
  CHECK(done.code == 0);
  const auto scenario = only_scenario(done.out);
  CHECK(scenario.at("name") == "a lost deposit");
  CHECK(scenario.at("strategy") == "portfolio");
  CHECK(scenario.at("seed") == 7);
  CHECK(scenario.at("executions").get<int>() >= 1);
  CHECK(scenario.at("steps").get<int>() >= 6);
  CHECK(scenario.at("switches").get<int>() >= 1);
  CHECK(scenario.at("seconds").is_number());
  CHECK(scenario.at("as_expected") == true);
  CHECK(scenario.at("expected") == json::array({"lost_update"}));

  const auto& violation = scenario.at("violations").at(0);
  CHECK(violation.at("kind") == "lost_update");
  CHECK_THAT(violation.at("message").get<std::string>(), Contains("account"));
  CHECK(violation.at("execution").is_number_unsigned());
  CHECK(violation.at("token").get<std::string>().starts_with("fl1-"));
  CHECK(violation.at("tasks").size() == 2);
  CHECK(violation.at("resource") == "account");
  CHECK(violation.at("replays") == 3);
  CHECK(violation.at("reproduced") == 3);
}

TEST_CASE("the same seed gives the same result", "[acceptance]") {
  const auto run = [] {
    auto scenario =
        only_scenario(run_forkloom({"run", "a lost deposit", "--json", "--seed", "3"}).out);
    for (const auto* measured : {"seconds", "executions_per_second"}) scenario.erase(measured);
    return scenario;
  };
  CHECK(run() == run());
}

TEST_CASE("the environment overrides the scenario, and an option the environment", "[acceptance]") {
  const std::vector<std::string> environment{"FORKLOOM_EXECUTIONS=4", "FORKLOOM_SEED=9",
                                             "FORKLOOM_STRATEGY=pct:2"};
  const auto scenario = only_scenario(
      run_forkloom({"run", "deposits in turn", "--json", "--seed", "0x10"}, environment).out);
  CHECK(scenario.at("executions") == 4);
  CHECK(scenario.at("strategy") == "pct:2");
  CHECK(scenario.at("seed") == 16);
}

TEST_CASE("a run without a name says how to run everything", "[acceptance]") {
  const auto done = run_forkloom({"run"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("forkloom run '*'"));
}

TEST_CASE("names, patterns and tags select scenarios", "[acceptance]") {
  CHECK(only_scenario(run_forkloom({"run", "deposits*", "--json"}).out).at("name") ==
        "deposits in turn");
  CHECK(only_scenario(run_forkloom({"run", "[silent]", "--json"}).out).at("name") ==
        "deposits in turn");
}

TEST_CASE("an unknown scenario is answered with close names", "[acceptance]") {
  const auto done = run_forkloom({"run", "a lost deposti"});
  CHECK(done.code == 2);
  CHECK(done.out.empty());
  CHECK_THAT(done.err, Contains("no scenario is called 'a lost deposti'") &&
                           Contains("Did you mean 'a lost deposit'") && Contains("forkloom list"));
}

TEST_CASE("bad options exit with 2 and say what is allowed", "[acceptance]") {
  using row = std::tuple<std::vector<std::string>, std::string>;
  const auto [arguments, message] = GENERATE(values<row>(
      {{{"--executions", "0"}, "--executions: '0' must be a whole number from 1 to"},
       {{"--executions", "1e3"}, "--executions: '1e3'"},
       {{"--executions", "-1"}, "--executions"},
       {{"--executions"}, "--executions"},
       {{"--seed", "18446744073709551616"}, "from 0 to 18446744073709551615"},
       {{"--processes", "1025"}, "from 1 to 1024"},
       {{"--step-limit", "900001"}, "from 1 to 900000"},
       {{"--progress-limit", "0"}, "--progress-limit: '0'"},
       {{"--bypass-max", "4294967296"}, "from 1 to 4294967295"},
       {{"--replays", "1001"}, "from 1 to 1000"},
       {{"--time", "30"}, "--time: '30' must be a whole number with a unit"},
       {{"--time", "-1s"}, "--time"},
       {{"--time", "0s"}, "--time: '0s'"},
       {{"--hang-limit", "2h"}, "from 1ms to 3600s"},
       {{"--strategy", "luck"}, "luck"},
       {{"--strategy", "pct:33"}, "pct:33"},
       {{"--strategy", "pct"}, "pct needs a bug depth"},
       {{"--strategy", "random:2"}, "random takes no parameter"},
       {{"--strategy", "sticky:0"}, "mean length of a run must be a whole number from 1"},
       {{"--strategy", "fair:5:5"}, "fair takes one parameter"},
       {{"--checkers", "deadlok"}, "deadlok"},
       {{"--executoins", "3"}, "unknown option '--executoins'. Did you mean '--executions'?"}}));
  auto all = arguments;
  all.insert(all.begin(), {"run", "deposits in turn"});
  const auto done = run_forkloom(all);
  CAPTURE(arguments, done.err);
  CHECK(done.code == 2);
  CHECK(done.out.empty());
  CHECK_THAT(done.err, Contains(message));
}

TEST_CASE("a bad value in the environment exits with 2 and names the variable", "[acceptance]") {
  const auto done = run_forkloom({"run", "deposits in turn"}, {"FORKLOOM_SEED=lucky"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("FORKLOOM_SEED"));
}

TEST_CASE("output that cannot be written is an error", "[acceptance]") {
  // /dev/full refuses every byte.
  forkloom::tests::command command("/bin/sh", {"-c", "'" FORKLOOM_FIXTURES "' list > /dev/full"});
  const auto done = command.wait();
  CHECK(done.code == 3);
  CHECK_THAT(done.err, Contains("cannot write to stdout"));
}

// What people get wrong: each answer says what and where, and leaves nothing behind.
#include "framework/trace/token.hpp"
#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::nothing_left;
using forkloom::tests::run_forkloom;

}  // namespace

TEST_CASE("a malformed token in FORKLOOM_REPLAY is refused with the variable's name",
          "[acceptance]") {
  const auto done = run_forkloom({"run", "a lost deposit"}, {"FORKLOOM_REPLAY=nonsense"});
  CHECK(done.code == 2);
  CHECK(done.out.empty());
  CHECK_THAT(done.err, Contains("FORKLOOM_REPLAY") && Contains("'nonsense'"));
}

TEST_CASE("a bad strategy in the environment is refused with the variable's name", "[acceptance]") {
  const auto done = run_forkloom({"run", "a lost deposit"}, {"FORKLOOM_STRATEGY=luck"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("FORKLOOM_STRATEGY") && Contains("luck"));
}

TEST_CASE("faults that there are not, or that may never happen, are refused", "[acceptance]") {
  const auto [text, why] =
      GENERATE(table<std::string, std::string>({{"luck:1", "none of that name"},
                                                {"kill:0", "from 1 to 100"},
                                                {"kill:101", "from 1 to 100"},
                                                {"kill:", "from 1 to 100"},
                                                {"kill:1,", "none of that name"},
                                                {"kill:1,kill:1", "twice"}}));
  const auto done = run_forkloom({"run", "a lost deposit", "--faults", text});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains(why));
  const auto from_environment =
      run_forkloom({"run", "a lost deposit"}, {"FORKLOOM_FAULTS=" + text});
  CHECK(from_environment.code == 2);
  CHECK_THAT(from_environment.err, Contains("FORKLOOM_FAULTS: ") && Contains(why));
}

TEST_CASE("a policy of time-outs that there is not is refused", "[acceptance]") {
  const auto done = run_forkloom({"run", "a lost deposit", "--timeouts", "sometimes"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("idle, race or never"));
  const std::string text = GENERATE("sometimes", "", "race,never");
  const auto from_environment =
      run_forkloom({"run", "a lost deposit"}, {"FORKLOOM_TIMEOUTS=" + text});
  CHECK(from_environment.code == 2);
  CHECK_THAT(from_environment.err,
             Contains("FORKLOOM_TIMEOUTS: ") && Contains("idle, race or never"));
}

TEST_CASE("an option stands above its variable, however bad that is", "[acceptance]") {
  const auto [option, variable] =
      GENERATE(table<std::vector<std::string>, std::string>({{{"--executions", "5"}, "EXECUTIONS"},
                                                             {{"--seed", "5"}, "SEED"},
                                                             {{"--strategy", "random"}, "STRATEGY"},
                                                             {{"--faults", "stop"}, "FAULTS"},
                                                             {{"--timeouts", "race"}, "TIMEOUTS"},
                                                             {{"--shrink-budget", "5"}, "SHRINK"},
                                                             {{"--no-shrink"}, "SHRINK"}}));
  CAPTURE(option, variable);
  const std::vector<std::string> bad{"FORKLOOM_" + variable + "=nonsense"};
  const auto alone = run_forkloom({"run", "deposits in turn"}, bad);
  CHECK(alone.code == 2);
  CHECK_THAT(alone.err, Contains("FORKLOOM_" + variable) && Contains("nonsense"));
  std::vector<std::string> arguments{"run", "deposits in turn"};
  arguments.insert(arguments.end(), option.begin(), option.end());
  CHECK(run_forkloom(arguments, bad).code == 0);
}

TEST_CASE("the policy of time-outs is that of the option, not of the variable", "[acceptance]") {
  const std::vector<std::string> never{"FORKLOOM_TIMEOUTS=never"};
  const auto without = run_forkloom({"run", "an answer that never comes"}, never);
  CHECK(without.code == 1);
  CHECK_THAT(without.out, Contains("its time-out never fires"));
  CHECK(run_forkloom({"run", "an answer that never comes", "--timeouts", "idle"}, never).code == 0);
}

TEST_CASE("a fault that no scenario could have is a usage error, and another one is not",
          "[acceptance]") {
  const auto unused = run_forkloom({"run", "deposits in turn", "--faults", "partial:1,stop:1"});
  CHECK(unused.code == 2);
  CHECK_THAT(unused.out, Contains("partial had no chance"));
  CHECK_THAT(unused.err, Contains("--faults: partial had no chance: it strikes bytes of"));
  const auto used = run_forkloom({"run", "deposits in turn", "--faults", "stop:1"});
  CHECK(used.code == 0);
  CHECK(used.err.empty());
}

TEST_CASE("an option that a scenario puts out of range is refused with its place", "[acceptance]") {
  const auto done = run_forkloom({"run", "an option out of range"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("\"an option out of range\"") && Contains("misfortunes.cpp:") &&
                           Contains("option bypass_max is 0; it must be from 1 to 4294967295"));
}

TEST_CASE("an execution with too many steps is a hang that names the limit", "[acceptance]") {
  const nothing_left nothing;
  const auto done = run_forkloom({"run", "deposits in turn", "--step-limit", "3"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out,
             Contains("hang:") && Contains("3 steps in all") && Contains("forkloom replay fl1-"));
  CHECK(nothing.holds());
}

TEST_CASE("what goes wrong in a scenario leaves nothing behind", "[acceptance]") {
  const nothing_left nothing;
  const auto [scenario, code] = GENERATE(table<std::string, int>({{"a body that throws", 1},
                                                                  {"a scenario that throws", 3},
                                                                  {"no process at all", 2},
                                                                  {"a crash", 1},
                                                                  {"a bad exit", 1},
                                                                  {"an infinite loop", 1},
                                                                  {"no progress", 1},
                                                                  {"a body without end", 3},
                                                                  {"forks without end", 3}}));
  CAPTURE(scenario);
  CHECK(run_forkloom({"run", scenario}).code == code);
  CHECK(nothing.holds());
}

TEST_CASE("a scenario whose own code never ends is an error that says where to look",
          "[acceptance]") {
  const nothing_left nothing;
  const auto* scenario = GENERATE("a finally that waits for the dead", "a body without end");
  const auto done = run_forkloom({"run", scenario});
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("body or finally()"));
  CHECK(nothing.holds());
}

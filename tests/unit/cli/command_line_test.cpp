#include "framework/cli/command_line.hpp"

#include <set>
#include <string_view>

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

using namespace forkloom;

namespace {

cli::any_request parsed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "forkloom");
  return cli::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

TEST_CASE("brackets of tags reach the request untouched", "[cli]") {
  const auto run = std::get<cli::run_request>(parsed({"run", "[a][b]", "x", "[c]"}));
  CHECK(run.patterns == std::vector<std::string>{"[a][b]", "x", "[c]"});
  const auto list = std::get<cli::list_request>(parsed({"list", "[a]"}));
  CHECK(list.patterns == std::vector<std::string>{"[a]"});
}

TEST_CASE("options may stand before and after names", "[cli]") {
  const auto run = std::get<cli::run_request>(
      parsed({"run", "--json", "a", "--seed=7", "b", "--executions", "3", "--quiet"}));
  CHECK(run.patterns == std::vector<std::string>{"a", "b"});
  CHECK(run.json);
  CHECK(run.quiet);
  CHECK(run.how.seed == "7");
  CHECK(run.how.executions == "3");
}

TEST_CASE("options that were not given leave everything as it is", "[cli]") {
  options how;
  how.executions = 12;
  how.keep_going = true;
  how.until_saturated = true;
  how.checkers = {"leak"};
  const auto same = cli::overridden(how, {});
  CHECK(same.executions == 12);
  CHECK(same.keep_going);
  CHECK(same.until_saturated);
  CHECK_FALSE(same.progress);
  CHECK(same.checkers == how.checkers);
}

TEST_CASE("each option reaches its member", "[cli]") {
  cli::option_texts texts;
  texts.executions = "1";
  texts.seed = "2";
  texts.strategy = "pct:3";
  texts.time = "4s";
  texts.processes = "5";
  texts.checkers = "leak,exit";
  texts.step_limit = "6";
  texts.progress_limit = "7";
  texts.hang_limit = "8ms";
  texts.bypass_max = "9";
  texts.replays = "10";
  texts.faults = "kill:11";
  texts.timeouts = "never";
  texts.keep_going = true;
  texts.shrink_budget = "70";
  texts.until_saturated = true;
  texts.progress = true;
  const auto how = cli::overridden({}, texts);
  CHECK(how.executions == 1);
  CHECK(how.seed == 2);
  CHECK(how.strategy == "pct:3");
  CHECK(how.time == std::chrono::seconds(4));
  CHECK(how.processes == 5);
  CHECK(how.checkers == std::vector<std::string>{"leak", "exit"});
  CHECK(how.step_limit == 6);
  CHECK(how.progress_limit == 7);
  CHECK(how.hang_limit == std::chrono::milliseconds(8));
  CHECK(how.bypass_max == 9);
  CHECK(how.replays == 10);
  CHECK(how.faults == "kill:11");
  CHECK(how.timeouts == timeout_policy::never);
  CHECK(how.keep_going);
  CHECK(how.shrink_budget == 70);
  CHECK(how.until_saturated);
  CHECK(how.progress);
}

TEST_CASE("an option stands above the variable of the same meaning, and above no other", "[cli]") {
  CHECK(cli::overridden_variables({}).empty());
  cli::option_texts texts;
  texts.timeouts = "never";
  CHECK(cli::overridden_variables(texts) == std::set<std::string_view>{"FORKLOOM_TIMEOUTS"});
  texts = {};
  texts.no_shrink = true;
  CHECK(cli::overridden_variables(texts) == std::set<std::string_view>{"FORKLOOM_SHRINK"});
}

TEST_CASE("a replay needs exactly one token or file", "[cli]") {
  CHECK(std::get<cli::replay_request>(parsed({"replay", "x", "--verbose"})).what == "x");
  CHECK_THROWS_WITH(parsed({"replay"}), Catch::Contains("name a token or a failure file"));
  CHECK_THROWS_WITH(parsed({"replay", "x", "y"}), Catch::Contains("unexpected argument 'y'"));
}

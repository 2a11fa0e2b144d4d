// `forkloom list`, `checkers`, `strategies`, help and version; and what is no command.
#include <nlohmann/json.hpp>

#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::run_forkloom;
using json = nlohmann::json;

}  // namespace

TEST_CASE("list shows every scenario with tags, expectations and place", "[acceptance]") {
  const auto done = run_forkloom({"list"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out,
             Contains("a lost deposit\n    [fixture][finds]  expects lost_update  scenarios.cpp:"));
}

TEST_CASE("the JSON of list has the fields of the contract", "[acceptance]") {
  const auto done = run_forkloom({"list", "--json", "a lost deposit"});
  const auto all = json::parse(done.out).at("scenarios");
  REQUIRE(all.size() == 1);
  CHECK(all[0].at("name") == "a lost deposit");
  CHECK(all[0].at("tags") == json::array({"fixture", "finds"}));
  CHECK(all[0].at("expects") == json::array({"lost_update"}));
  CHECK_THAT(all[0].at("file").get<std::string>(), Catch::EndsWith("scenarios.cpp"));
  CHECK(all[0].at("line").get<int>() > 0);
}

TEST_CASE("list takes patterns and tags", "[acceptance]") {
  CHECK(json::parse(run_forkloom({"list", "--json", "[finds]"}).out).at("scenarios").size() == 2);
  CHECK(json::parse(run_forkloom({"list", "--json", "*lost*"}).out).at("scenarios").size() == 2);
  CHECK(run_forkloom({"list", "[nowhere]"}).code == 2);
}

TEST_CASE("checkers and strategies are listed", "[acceptance]") {
  CHECK_THAT(run_forkloom({"checkers"}).out, Contains("deadlock") && Contains("leak"));
  CHECK_THAT(run_forkloom({"strategies"}).out,
             Contains("random") && Contains("pct:N") && Contains("pos"));
}

TEST_CASE("faults are listed with where they strike", "[acceptance]") {
  const auto done = run_forkloom({"faults"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("kill ") && Contains("where: any scheduling point") &&
                           Contains("eintr") && Contains("calls: wait for child, sem wait"));
}

TEST_CASE("help and version go to stdout and exit with 0", "[acceptance]") {
  const auto arguments = GENERATE(values<std::vector<std::string>>(
      {{"--help"}, {"run", "--help"}, {"replay", "--help"}, {"--version"}}));
  const auto done = run_forkloom(arguments);
  CHECK(done.code == 0);
  CHECK(done.err.empty());
  CHECK(!done.out.empty());
}

TEST_CASE("what is no command is a usage error", "[acceptance]") {
  CHECK_THAT(run_forkloom({"lst"}).err, Contains("unknown command 'lst'. Did you mean 'list'?"));
  CHECK_THAT(run_forkloom({}).err, Contains("no command"));
  CHECK(run_forkloom({"lst"}).code == 2);
  CHECK(run_forkloom({}).code == 2);
  CHECK(run_forkloom({"replay"}).code == 2);
  CHECK(run_forkloom({"checkers", "more"}).code == 2);
}

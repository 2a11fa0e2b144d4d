// A Catch2 binary made of scenarios: listing, filtering, sections, reporters and exit codes as
// ever.
#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;

auto session(const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment = {}) {
  return forkloom::tests::command(FORKLOOM_CATCH2_FIXTURES, arguments, environment).wait();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string token() {
  const auto out = session({"an undeclared lost deposit"}).out;
  const auto at = out.find("fl1-");
  return out.substr(at, out.find('\n', at) - at);
}

}  // namespace

TEST_CASE("scenarios are listed as test cases with their tags", "[acceptance][catch2]") {
  const auto done = session({"--list-tests"});
  CHECK_THAT(done.out, Contains("deposits in turn") && Contains("[fixture][silent]"));
}

TEST_CASE("a scenario that goes as expected passes", "[acceptance][catch2]") {
  const auto done = session({"deposits in turn,a lost deposit"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("2 test cases"));
}

TEST_CASE("a violation is a failure at the scenario's place with the whole report",
          "[acceptance][catch2]") {
  const auto done = session({"an undeclared lost deposit"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("scenarios.cpp:") && Contains("FAILED") &&
                           Contains("lost_update: an update of account") &&
                           Contains("forkloom replay fl1-"));
  CHECK(count(done.out, "test cases: ") == 1);
}

TEST_CASE("each strategy of a list is a section that can be chosen", "[acceptance][catch2]") {
  const std::vector<std::string> both{"an undeclared lost deposit", "-r", "compact",
                                      "--forkloom-strategy", "random,pct:2"};
  CHECK_THAT(session(both).out, Contains("random, seed") && Contains("pct:2, seed"));
  auto one = both;
  one.insert(one.end(), {"-c", "pct:2"});
  CHECK_THAT(session(one).out, !Contains("random, seed") && Contains("pct:2, seed"));
}

TEST_CASE("whatever a child does, there is one valid report", "[acceptance][catch2]") {
  const auto done = session({"[bad]~*fork*", "-r", "xml"});
  CHECK(count(done.out, "<?xml") == 1);
  CHECK(count(done.out, "</Catch>") == 1);
  CHECK(count(done.out, "<TestCase ") == count(done.out, "</TestCase>"));
}

TEST_CASE("--forkloom-replay replays its token and skips the other scenarios",
          "[acceptance][catch2]") {
  const auto done = session({"[finds]", "-s", "--forkloom-replay", token()});
  CHECK(done.code == 1);
  CHECK(count(done.out, "skipped: FORKLOOM_REPLAY is of another scenario") == 1);
  CHECK_THAT(done.out, Contains("1 of 1 replays failed the same way"));
}

TEST_CASE("options of a session are checked before it runs", "[acceptance][catch2]") {
  const auto [option, value] = GENERATE(table<std::string, std::string>(
      {{"--forkloom-seed", "x"}, {"--forkloom-executions", "many"}, {"--forkloom-replay", "x"}}));
  const auto done = session({option, value});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("forkloom: "));
  CHECK(done.out.empty());
}

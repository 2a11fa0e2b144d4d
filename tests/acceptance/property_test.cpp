// Properties in a Catch2 session whose cases are scenarios: counter-examples are made smaller, and
// one line brings back the case and its schedule.
#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::outcome_of_command;

auto session(const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment = {}) {
  return forkloom::tests::command(FORKLOOM_PROPERTY_FIXTURES, arguments, environment).wait();
}

// The value of "NAME=…" in the line that reproduces, without quotes.
std::string value_in_line(const outcome_of_command& done, const std::string& name) {
  const auto begin = done.err.find("Reproduce it with: ");
  REQUIRE(begin != std::string::npos);
  const auto line = done.err.substr(begin);
  const auto at = line.find(name + "=");
  REQUIRE(at != std::string::npos);
  auto value = line.substr(at, line.find_first_of(" \n", at) - at);
  std::erase(value, '\'');
  return value;
}

std::string violation_in(const outcome_of_command& done) {
  const auto& out = done.out;
  const auto at = out.find("not_linearizable: ");
  REQUIRE(at != std::string::npos);
  return out.substr(at, out.find("Interleaving", at) - at);
}

}  // namespace

TEST_CASE("a property of a program ends with the smallest one and a schedule",
          "[acceptance][property]") {
  const auto done = session({"a sum that isn't atomic"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("Falsifiable after") && Contains("[[add(1)], [add(1)]]") &&
                           Contains("no order of the calls explains add(1) → 1") &&
                           Contains("3 of 3 replays failed the same way"));
  CHECK_THAT(done.err, Contains("'a sum that isn'\\''t atomic'"));
}

TEST_CASE("one line brings back the case of a property and its schedule",
          "[acceptance][property]") {
  const std::string test = "a sum that isn't atomic";
  const auto out = session({test});
  const auto again =
      session({test}, {value_in_line(out, "RC_PARAMS"), value_in_line(out, "FORKLOOM_REPLAY")});
  CHECK(again.code == 1);
  CHECK(violation_in(again) == violation_in(out));
  CHECK_THAT(again.out,
             Contains("[[add(1)], [add(1)]]") && Contains("1 of 1 replays failed the same way"));
  CHECK(value_in_line(again, "RC_PARAMS") == value_in_line(out, "RC_PARAMS"));
  CHECK(value_in_line(again, "FORKLOOM_REPLAY") == value_in_line(out, "FORKLOOM_REPLAY"));
}

TEST_CASE("the case alone is explored anew, and the token alone belongs to no other property",
          "[acceptance][property]") {
  const std::string test = "a sum that isn't atomic";
  const auto out = session({test});
  const auto explored = session({test}, {value_in_line(out, "RC_PARAMS")});
  CHECK_THAT(explored.out,
             Contains("[[add(1)], [add(1)]]") && Contains("3 of 3 replays failed the same way"));
  const std::vector<std::string> both{value_in_line(out, "RC_PARAMS"),
                                      value_in_line(out, "FORKLOOM_REPLAY")};
  CHECK(session({"deposits by several tellers"}, both).code == 0);
}

TEST_CASE("a property that holds passes", "[acceptance][property]") {
  const auto done = session({"an atomic sum"}, {"RC_PARAMS=max_success=10"});
  CHECK(done.code == 0);
}

TEST_CASE("values of a scenario's own shrink as in any property", "[acceptance][property]") {
  const auto done = session({"deposits by several tellers"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("unsigned int:\n  2\n") && Contains("\nint:\n  1\n") &&
                           Contains("expectation: ") && Contains(": 1 == 2"));
}

TEST_CASE("rapidcheck's own section shows the case and the token", "[acceptance][property]") {
  const auto done = session({"a sum in rapidcheck's own section"});
  CHECK_THAT(done.out, Contains("[[add(1)], [add(1)]]") &&
                           Contains("Reproduce it with: FORKLOOM_REPLAY=fl1-"));
}

TEST_CASE("what cannot be carried out is no success of a property", "[acceptance][property]") {
  const auto done = session({"a scenario that cannot be carried out"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("declares no process"));
}

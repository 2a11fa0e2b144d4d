// Generated programs, from the command line: what is found, replayed and refused.
#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::nothing_left;
using forkloom::tests::run_forkloom;

}  // namespace

TEST_CASE("an object with a race is found, with a table of its calls", "[acceptance][object]") {
  const auto done = run_forkloom({"run", "an object with a race"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("not_linearizable: counter is not linearizable") &&
                           Contains("client 0") && Contains("┌ next()") &&
                           Contains("3 of 3 replays failed the same way"));
}

TEST_CASE("an object without a race is not", "[acceptance][object]") {
  CHECK(run_forkloom({"run", "an object without a race"}).code == 0);
}

TEST_CASE("one token brings back the program and its schedule", "[acceptance][object]") {
  const auto out = run_forkloom({"run", "an object with a race"}).out;
  const auto at = out.find("fl1-");
  REQUIRE(at != std::string::npos);
  const auto again = run_forkloom({"replay", out.substr(at, out.find('\n', at) - at)});
  CHECK(again.code == 1);
  const auto violation = out.substr(out.find("not_linearizable: "));
  CHECK_THAT(again.out, Contains(violation.substr(0, violation.find("\n\n"))));
  CHECK_THAT(again.out, Contains("1 of 1 replays failed the same way"));
}

TEST_CASE("what cannot be judged is an error, never a success", "[acceptance][object]") {
  const nothing_left nothing;
  const auto done = run_forkloom({"run", "a model that throws"});
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("the model of counter threw in next(): not today"));
  CHECK(nothing.holds());
}

TEST_CASE("programs over the limit and objects that are not complete are refused",
          "[acceptance][object]") {
  const auto large = run_forkloom({"run", "programs over the limit"});
  CHECK(large.code == 2);
  CHECK_THAT(large.err, Contains("10 processes with 13 operations") && Contains("128 calls"));
  const auto closed = run_forkloom({"run", "an object that nobody opens"});
  CHECK(closed.code == 2);
  CHECK_THAT(closed.err, Contains("\"counter\"") && Contains("opened_by()"));
}

TEST_CASE("an operation that never returns is a deadlock", "[acceptance][object]") {
  const nothing_left nothing;
  const auto done = run_forkloom({"run", "an operation that never returns"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("deadlock:") && Contains("next()"));
  CHECK(nothing.holds());
}

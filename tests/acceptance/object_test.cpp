// Generated programs, from the command line: what is found, replayed and refused.
#include "framework/trace/token.hpp"
#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::nothing_left;
using forkloom::tests::run_forkloom;

// With programs made smaller, which the tests' environment forbids unless it is told otherwise.
auto run_and_shrink(const std::vector<std::string>& arguments) {
  return run_forkloom(arguments, {"FORKLOOM_SHRINK=500"});
}

}  // namespace

TEST_CASE("an object with a race is found, with a table of its calls", "[acceptance][object]") {
  const auto done = run_forkloom({"run", "an object with a race"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("not_linearizable: counter is not linearizable") &&
                           Contains("client 0") && Contains("┌ next()") &&
                           Contains("3 of 3 replays failed the same way"));
}

TEST_CASE("a program of 32 calls becomes one of two, which fails in the same way",
          "[acceptance][object]") {
  const auto done = run_and_shrink({"run", "a race among four processes"});
  CHECK(done.code == 1);
  const auto table = done.out.substr(done.out.find("client 0"));
  CHECK_THAT(table, Contains("made smaller in"));
  CHECK_THAT(table.substr(0, table.find("generated program")),
             !Contains("client 2") && !Contains("→ 2") && Contains("next() → 1"));
  CHECK_THAT(done.out, Contains("3 of 3 replays failed the same way"));
}

TEST_CASE("a program is made smaller in the same way each time", "[acceptance][object]") {
  const std::vector<std::string> again{"run", "an object with a race", "--seed",
                                       "5",   "--shrink-budget",       "20"};
  const auto report = [&] {
    const auto out = run_forkloom(again).out;
    return out.substr(out.find("not_linearizable: "));  // before it stands how long it took
  };
  CHECK(report() == report());
}

TEST_CASE("what fails alike when it is small is told once", "[acceptance][object]") {
  const auto done = run_and_shrink(
      {"run", "a race among four processes", "--executions", "40", "--keep-going", "--quiet"});
  const auto first = done.out.find("not_linearizable: ");
  REQUIRE(first != std::string::npos);
  CHECK(done.out.find("not_linearizable: counter is not linearizable: no order of the calls "
                      "explains next() → 1 of client 0",
                      first + 1) == std::string::npos);
}

TEST_CASE("only the calls of the key that cannot be explained are shown", "[acceptance][object]") {
  const auto done = run_and_shrink({"run", "a store by key with a race"});
  CHECK(done.code == 1);
  const auto at = done.out.find("explains next(");
  REQUIRE(at != std::string::npos);
  const std::string other = done.out.at(at + 14) == '0' ? "next(1)" : "next(0)";
  const auto table = done.out.substr(at, done.out.find("Interleaving") - at);
  CHECK_THAT(table, Contains("calls with other keys are not shown") && !Contains(other));
}

TEST_CASE("a call without a key is judged together with all others", "[acceptance][object]") {
  CHECK(run_forkloom({"run", "a store by key with a total"}).code == 0);
}

TEST_CASE("an object without a race is not", "[acceptance][object]") {
  CHECK(run_forkloom({"run", "an object without a race"}).code == 0);
}

TEST_CASE("one token brings back the program and its schedule", "[acceptance][object]") {
  const auto out = run_and_shrink({"run", "an object with a race"}).out;
  const auto at = out.rfind("fl1-");
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
  const auto rude = run_forkloom({"run", "a model that throws what is no exception"});
  CHECK(rude.code == 3);
  CHECK_THAT(rude.out, Contains("threw in next(): what is no std::exception"));
  const auto hard = run_forkloom({"run", "a history that is too hard"});
  CHECK(hard.code == 3);
  CHECK_THAT(hard.out, Contains("whether counter is linearizable is unknown") &&
                           Contains("1 configurations"));
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
  const auto idle = run_forkloom({"run", "an object without operations"});
  CHECK(idle.code == 2);
  CHECK_THAT(idle.err, Contains("\"counter\" has no operation()"));
}

TEST_CASE("operations that are not told in full, or have one name, are refused",
          "[acceptance][object]") {
  const nothing_left nothing;
  const auto refused = [](const char* scenario, const char* why) {
    const auto done = run_forkloom({"run", scenario});
    CHECK(done.code == 2);
    CHECK_THAT(done.err, Contains("operation \"next\" of object \"counter\"") && Contains(why));
  };
  refused("two operations of one name", "there is one of that name already");
  refused("an operation without a model", "has no function of the model");
  refused("an operation of the model alone", "has no function of the object");
  CHECK(nothing.holds());
}

TEST_CASE("arguments without a text are shown as such, and the calls are judged",
          "[acceptance][object]") {
  const auto done = run_forkloom({"run", "arguments that have no text"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("not_linearizable: adder is not linearizable") &&
                           Contains("add((no operator<<)) → 1"));
}

TEST_CASE("an operation that loops is a hang", "[acceptance][object]") {
  const auto done = run_forkloom({"run", "an operation that loops"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("hang: "));
}

TEST_CASE("a token of a smaller program that the scenario does not make is refused",
          "[acceptance][object]") {
  const auto out = run_and_shrink({"run", "an object with a race"}).out;
  const auto at = out.rfind("fl1-");
  REQUIRE(at != std::string::npos);
  auto token = forkloom::decode(out.substr(at, out.find('\n', at) - at));
  REQUIRE(token.program.find('.') != std::string::npos);
  token.program += ".999";
  const auto done = run_forkloom({"replay", forkloom::encode(token)});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("which the scenario does not make"));
}

TEST_CASE("an operation that never returns is a deadlock", "[acceptance][object]") {
  const nothing_left nothing;
  const auto done = run_forkloom({"run", "an operation that never returns"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("deadlock:") && Contains("next()"));
  CHECK(nothing.holds());
}

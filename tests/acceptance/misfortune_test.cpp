// What the command says when the system fails it, and that it leaves nothing behind.
#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::command;
using forkloom::tests::nothing_left;
using forkloom::tests::outcome_of_command;
using forkloom::tests::run_forkloom;
using json = nlohmann::json;

// `forkloom run …` under `confine`: see fixtures/confine.cpp.
outcome_of_command run_confined(std::vector<std::string> how,
                                const std::vector<std::string>& arguments) {
  how.insert(how.end(), {"--", FORKLOOM_FIXTURES, "run"});
  how.insert(how.end(), arguments.begin(), arguments.end());
  return command(FORKLOOM_CONFINE, how).wait();
}

outcome_of_command run_with_failing_fork(const std::string& number,
                                         const std::string& scenario = "a lost deposit") {
  return command(FORKLOOM_FAILING_FORK, {"run", scenario},
                 {"FORKLOOM_FIXTURE_FAILING_FORK=" + number})
      .wait();
}

}  // namespace

TEST_CASE("a guardian or worker that cannot be forked is an error that says what to do",
          "[acceptance]") {
  const nothing_left nothing;
  const auto number = GENERATE("1", "2");
  const auto done = run_with_failing_fork(number);
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("cannot fork a worker: Resource temporarily unavailable") &&
                           Contains("ulimit -u"));
  CHECK(nothing.holds());
}

TEST_CASE("a scenario that ends its worker is an error of its own, and the others have their turn",
          "[acceptance]") {
  const nothing_left nothing;
  const std::string leaves = "a body that leaves";
  const std::string correct = "deposits in turn";
  const auto as_text = run_forkloom({"run", leaves, correct});
  CHECK(as_text.code == 3);
  CHECK_THAT(as_text.out, Contains("ended with exit code 7 before it had a result") &&
                              Contains(correct + ": as expected"));
  const auto as_json = run_forkloom({"run", leaves, correct, "--json"});
  CHECK(as_json.code == 3);
  const auto results = json::parse(as_json.out).at("scenarios");
  REQUIRE(results.size() == 2);
  for (const auto& result : results) {
    const bool lost = result.at("name") == leaves;
    CHECK(result.at("error").is_null() != lost);
    CHECK(result.at("as_expected") == !lost);
  }
  CHECK(nothing.holds());
}

TEST_CASE("a process of the scenario that cannot be forked is an error with its name",
          "[acceptance]") {
  const nothing_left nothing;
  const auto [number, process] =
      GENERATE(table<std::string, std::string>({{"3", "\"teller 0\""}, {"4", "\"teller 1\""}}));
  const auto done = run_with_failing_fork(number);
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("cannot make process " + process) &&
                           Contains("Resource temporarily unavailable") && Contains("ulimit -u"));
  CHECK(nothing.holds());
}

TEST_CASE("a fork that fails in a process is the process's own affair", "[acceptance]") {
  const nothing_left nothing;
  const auto done = run_forkloom({"run", "a nested fork that fails"});
  CAPTURE(done.out);
  CHECK(done.code == 0);
  CHECK(nothing.holds());
}

TEST_CASE("without namespaces a run does the same and says that names are tracked",
          "[acceptance]") {
  const nothing_left nothing;
  const auto done = run_confined({"no-namespaces"}, {"a lost deposit", "--json"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("\"isolation\": \"tracked names\""));
  CHECK(nothing.holds());
}

TEST_CASE("without namespaces a forgotten message queue is found, removed, and others are not",
          "[acceptance]") {
  const nothing_left nothing;
  const auto strange = "/forkloom-strange-" + std::to_string(::getpid());
  ::mq_close(::mq_open(strange.c_str(), O_RDWR | O_CREAT, 0600, nullptr));
  const auto how = GENERATE(
      values<std::vector<std::string>>({{"no-namespaces"}, {"no-mounts", "no-namespaces"}}));
  const auto done = run_confined(how, {"a forgotten message queue"});
  CAPTURE(done.out, done.err);
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("/forgotten was left behind"));
  CHECK(::mq_unlink(strange.c_str()) == 0);
  CHECK(::mq_unlink("/forgotten") == -1);
  CHECK(nothing.holds());
}

TEST_CASE("a full /dev/shm of the host does not hinder a run", "[acceptance]") {
  const nothing_left nothing;
  const auto how =
      GENERATE(values<std::vector<std::string>>({{"full-shm"}, {"full-shm", "no-namespaces"}}));
  CHECK(run_confined(how, {"a lost deposit"}).code == 0);
  CHECK(nothing.holds());
}

TEST_CASE("a scenario sees the kernel's error when /dev/shm is full", "[acceptance]") {
  const nothing_left nothing;
  SECTION("it is its own") { CHECK(run_forkloom({"run", "a full /dev/shm"}).code == 0); }
  SECTION("it is the host's") {
    const auto done = run_confined({"full-shm", "no-namespaces"},
                                   {"a named semaphore for which there is no room"});
    CAPTURE(done.out, done.err);
    CHECK(done.code == 0);
  }
  CHECK(nothing.holds());
}

// Scripts of an interpreter that nobody changed. Without one, there is nothing to test.
#include <unistd.h>

#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using forkloom::tests::nothing_left;
using forkloom::tests::outcome_of_command;
using forkloom::tests::run_forkloom;

constexpr const char* python = "/usr/bin/python3";

// Has it the modules that the scripts import? The smallest package of the interpreter has not.
bool has_python() {
  static const bool works =
      access(python, X_OK) == 0 &&
      forkloom::tests::command(python, {"-c", "import fcntl, mmap, multiprocessing"}).wait().code ==
          0;
  if (!works) WARN("no python3 with its library here: not tested");
  return works;
}

outcome_of_command run_script(const std::string& script, const std::string& output) {
  return run_forkloom({"run", "--executions", "20", "--expect-output", output, "--", python,
                       FORKLOOM_SCRIPTS "/" + script});
}

}  // namespace

TEST_CASE("a Python script's worker processes, with their queues", "[acceptance][python]") {
  if (!has_python()) return;
  const nothing_left nothing;
  const auto done = run_script("processes.py", "total 14");
  INFO(done.out);
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(nothing.holds());
}

TEST_CASE("a Python script with a shared mapping and a lock on a file", "[acceptance][python]") {
  if (!has_python()) return;
  const auto done = run_script("counter.py", "counted 6");
  INFO(done.out);
  INFO(done.err);
  CHECK(done.code == 0);
}

TEST_CASE("a Python server and its clients talk over TCP", "[acceptance][python]") {
  if (!has_python()) return;
  const std::string scripts = FORKLOOM_SCRIPTS;
  const auto server = scripts + "/tcp_server.py";
  const auto client = scripts + "/tcp_client.py";
  const auto done = run_forkloom({"run", "--executions", "20", "--expect-output", "served 2", "--",
                                  python, server, "5000", "2", "::", python, client, "5000",
                                  "::", python, client, "5000"});
  INFO(done.out);
  INFO(done.err);
  CHECK(done.code == 0);
}

TEST_CASE("a Python client that does not wait for its server is found", "[acceptance][python]") {
  if (!has_python()) return;
  const std::string scripts = FORKLOOM_SCRIPTS;
  const auto done = run_forkloom({"run", "--executions", "50", "--strategy", "pct:2", "--checkers",
                                  "exit", "--", python, scripts + "/tcp_server.py", "5000", "1",
                                  "::", python, scripts + "/tcp_hasty_client.py", "5000"});
  INFO(done.out);
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Catch::Contains("tcp_hasty_client.py ended with exit code 1"));
  CHECK_THAT(done.out, Catch::Contains("ConnectionRefusedError"));
  CHECK_THAT(done.out, Catch::Contains("forkloom replay fl1-"));
}

#include "framework/trace/program_run.hpp"

#include <nlohmann/json.hpp>

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

namespace {

using forkloom::program_run;
using words = std::vector<std::string>;

program_run run_of(const words& arguments) {
  return {.commands = forkloom::split_commands(arguments)};
}

}  // namespace

TEST_CASE("programs stand apart by two colons") {
  CHECK(forkloom::split_commands(words{"a", "1", "::", "b"}) ==
        std::vector<words>{{"a", "1"}, {"b"}});
  CHECK(forkloom::split_commands(words{"a:", ":::"}) == std::vector<words>{{"a:", ":::"}});
  for (const auto& bad : {words{}, words{"::"}, words{"a", "::"}, words{"::", "a"}, words{""},
                          words{"a", "::", "::", "b"}})
    CHECK_THROWS_AS(forkloom::split_commands(bad), forkloom::usage_error);
}

TEST_CASE("a word is quoted if a shell would not take it as it is") {
  CHECK(forkloom::quoted_for_shell("./a-b_c.d:1,2=3") == "./a-b_c.d:1,2=3");
  CHECK(forkloom::quoted_for_shell("two words") == "'two words'");
  CHECK(forkloom::quoted_for_shell("it's") == "'it'\\''s'");
  CHECK(forkloom::quoted_for_shell("$x*") == "'$x*'");
  CHECK(forkloom::quoted_for_shell("") == "''");
}

TEST_CASE("tasks are called after programs or scripts, and numbered where several are alike") {
  CHECK(forkloom::task_names(run_of({"./server", "::", "/bin/client", "::", "client"})) ==
        words{"server", "client 0", "client 1"});
  CHECK(forkloom::task_names(run_of({"python3", "x/serve.py", "::", "python3", "-c", "1"})) ==
        words{"serve.py", "python3"});
}

TEST_CASE("the arguments of a replay name the programs and what must hold of them") {
  auto run = run_of({"./server", "5000", "::", "./client", "a b"});
  CHECK(forkloom::replay_arguments(run) == " -- ./server 5000 :: ./client 'a b'");
  run.exit_codes = {0, 3};
  run.expected_output = {"done"};
  run.check = "test -e x";
  CHECK(forkloom::replay_arguments(run) ==
        " --expect-exit 0,3 --expect-output done --check 'test -e x' -- ./server 5000 :: ./client "
        "'a b'");
}

TEST_CASE("one exit code is for all programs, several are for one each") {
  auto run = run_of({"a", "::", "b"});
  CHECK(forkloom::expected_exit(run, 1) == 0);
  run.exit_codes = {4};
  CHECK(forkloom::expected_exit(run, 1) == 4);
  run.exit_codes = {4, 5};
  CHECK(forkloom::expected_exit(run, 1) == 5);
}

TEST_CASE("programs go through JSON unchanged, and a bad one is refused") {
  auto run = run_of({"a", "1", "::", "b"});
  run.exit_codes = {255};
  run.forbidden_output = {"x"};
  run.setup = "true";
  run.directory = "/tmp";
  const nlohmann::json json = run;
  CHECK(json.get<program_run>() == run);
  for (const auto* key : {"commands", "expect_exit", "setup", "directory"}) {
    auto missing = json;
    missing.erase(key);
    CHECK_THROWS_AS(missing.get<program_run>(), forkloom::usage_error);
  }
  auto bad = json;
  bad["commands"] = nlohmann::json::array();
  CHECK_THROWS_AS(bad.get<program_run>(), forkloom::usage_error);
  bad = json;
  bad["commands"] = {nlohmann::json::array()};
  CHECK_THROWS_AS(bad.get<program_run>(), forkloom::usage_error);
  bad = json;
  bad["expect_exit"] = {256};
  CHECK_THROWS_AS(bad.get<program_run>(), forkloom::usage_error);
  bad["expect_exit"] = {1, 2, 3};
  CHECK_THROWS_AS(bad.get<program_run>(), forkloom::usage_error);
}

// `forkloom run -- PROGRAM`: programs that know nothing of Forkloom, as a textbook has them.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::nothing_left;
using forkloom::tests::outcome_of_command;
using forkloom::tests::run_forkloom;
using forkloom::tests::scratch_directory;
using json = nlohmann::json;
using words = std::vector<std::string>;

std::string fixture(const std::string& name) { return FORKLOOM_PROGRAMS "/" + name; }

// "--executions N …options -- …programs"
outcome_of_command run(unsigned executions, words options, const words& programs) {
  words all{"run", "--executions", std::to_string(executions)};
  all.insert(all.end(), options.begin(), options.end());
  all.emplace_back("--");
  all.insert(all.end(), programs.begin(), programs.end());
  return run_forkloom(all);
}

json result_of(const outcome_of_command& done) {
  return json::parse(done.out).at("scenarios").at(0);
}

std::vector<std::string> kinds_in(const json& result) {
  std::vector<std::string> kinds;
  for (const auto& violation : result.at("violations")) kinds.push_back(violation.at("kind"));
  return kinds;
}

// The words of a replay line, which has no quotes in it.
words words_of(const std::string& line) {
  std::istringstream text(line);
  return {std::istream_iterator<std::string>(text), std::istream_iterator<std::string>()};
}

void require_correct(const outcome_of_command& done) {
  INFO(done.out);
  INFO(done.err);
  REQUIRE(done.code == 0);
}

}  // namespace

TEST_CASE("a parent and a child talk through a pipe", "[acceptance]") {
  const nothing_left nothing;
  require_correct(
      run(200, {"--expect-output", "the child counted 4 words"}, {fixture("program_pipe")}));
  CHECK(nothing.holds());
}

TEST_CASE("two programs meet at a FIFO", "[acceptance]") {
  const scratch_directory place;
  const auto path = (place.path() / "fifo").string();
  require_correct(
      run(200, {"--expect-output", "heard 'salve'"},
          {fixture("program_fifo"), "write", path, "::", fixture("program_fifo"), "read", path}));
  CHECK(std::filesystem::is_empty(place.path()));
}

TEST_CASE("two programs send and receive messages", "[acceptance]") {
  const nothing_left nothing;
  require_correct(run(200, {"--expect-output", "the sum is 6"},
                      {fixture("program_mq_sender"), "/numbers",
                       "::", fixture("program_mq_receiver"), "/numbers"}));
  CHECK(nothing.holds());
}

TEST_CASE("two programs in C++ take turns with named semaphores", "[acceptance]") {
  const nothing_left nothing;
  require_correct(run(200, {"--expect-output", "pong 2"},
                      {fixture("program_turns"), "ping", "/turns", "::", fixture("program_turns"),
                       "pong", "/turns"}));
  CHECK(nothing.holds());
}

TEST_CASE("two threads of a program meet at two semaphores", "[acceptance]") {
  require_correct(run(200, {"--expect-output", "together 42"}, {fixture("program_rendezvous")}));
}

TEST_CASE("a thread that does not wait for the other one is found", "[acceptance]") {
  const auto done =
      run(200, {"--expect-output", "together 42"}, {fixture("program_rendezvous"), "hasty"});
  INFO(done.out);
  CHECK(done.code == 1);
  CHECK(done.out.find("forkloom replay ") != std::string::npos);
}

// Wherever the two are, task 1 goes at each of these steps if it can.
TEST_CASE("an explicit schedule goes on in the programs that tasks execute", "[acceptance]") {
  const nothing_left nothing;
  const words programs{
      fixture("program_turns"), "ping", "/turns", "::", fixture("program_turns"), "pong", "/turns"};
  const auto usual = run(1, {"--strategy", "schedule", "--json"}, programs);
  const auto disturbed = run(1, {"--strategy", "schedule:2p1x20", "--json"}, programs);
  require_correct(usual);
  require_correct(disturbed);
  CHECK(result_of(disturbed).at("switches") > result_of(usual).at("switches"));
}

TEST_CASE("a program does what signals of its children tell it", "[acceptance]") {
  require_correct(
      run(200, {"--expect-output", "stopped after 3 children"}, {fixture("program_signal_loop")}));
}

TEST_CASE("a program that looks and then pauses is found to wait for ever", "[acceptance]") {
  const words program{fixture("program_signal_loop"), "pause"};
  const auto done = run(1000, {"--json"}, program);
  REQUIRE(done.code == 1);
  const auto violation = result_of(done).at("violations").at(0);
  CHECK(violation.at("kind") == "deadlock");
  CHECK_THAT(violation.at("message").get<std::string>(),
             Contains("program_signal_loop waits for signals of program_signal_loop for ever"));
  auto line = words_of(violation.at("replay"));
  line.erase(line.begin());  // forkloom
  line.insert(line.begin() + 1, "--json");
  CHECK(result_of(run_forkloom(line)).at("violations").at(0).at("reproduced") == 1);
}

TEST_CASE("a server executes a program for each request", "[acceptance]") {
  require_correct(
      run(100, {"--expect-output", "the squares add up to 14"}, {fixture("program_super_server")}));
}

TEST_CASE("a reader who does not wait for the writer is found, and replayed", "[acceptance]") {
  const nothing_left nothing;
  const words programs{fixture("program_shm_writer"), "/greeting",
                       "::", fixture("program_shm_reader"), "/greeting"};
  const auto done = run(100, {"--json", "--checkers", "exit"}, programs);
  REQUIRE(done.code == 1);
  const auto violation = result_of(done).at("violations").at(0);
  CHECK(violation.at("kind") == "exit");
  CHECK_THAT(violation.at("message").get<std::string>(),
             Contains("program_shm_reader ended with exit code 1"));

  auto line = words_of(violation.at("replay"));
  REQUIRE(line.size() == 3 + 1 + programs.size());
  line.erase(line.begin());  // forkloom
  line.insert(line.begin() + 1, "--json");
  const auto again = run_forkloom(line);
  CHECK(again.code == 1);
  CHECK_THAT(kinds_in(result_of(again)), Catch::VectorContains(std::string("exit")));
  CHECK(result_of(again).at("violations").at(0).at("reproduced") == 1);
  CHECK(nothing.holds());
}

TEST_CASE("shared memory that a program leaves behind is a leak", "[acceptance]") {
  const nothing_left nothing;
  const auto done = run(5, {}, {fixture("program_shm_writer"), "/greeting"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out,
             Contains("leak: shared memory /greeting was left behind by program_shm_wri"));
  CHECK_THAT(done.out, Contains("forkloom replay fl1-") && Contains(" -- "));
  CHECK(nothing.holds());
}

// "name:N" of the line of a fixture with that comment.
std::string place_in(const std::string& name, const std::string& comment) {
  std::ifstream file(FORKLOOM_SCRIPTS "/" + name);
  std::string text;
  for (unsigned line = 1; std::getline(file, text); ++line)
    if (text.find("// " + comment) != std::string::npos) return name + ":" + std::to_string(line);
  FAIL("no line says '" << comment << "'");
  return {};
}

std::string place_in_inheritance(const std::string& comment) {
  return place_in("inheritance.c", comment);
}

TEST_CASE("a report names the lines of a program and of the child that it forked", "[acceptance]") {
  const std::string name = GENERATE("program_inheritance", "program_inheritance_fixed");
  // Beside another program, whose addresses mean something else.
  const auto done = run(5, {}, {fixture(name), "::", fixture("program_endings"), "0"});
  INFO(done.out);
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("deadlock: "));
  CHECK_THAT(done.out, Contains(place_in_inheritance("the child waits here") + "; could"));
  CHECK_THAT(done.out, Contains(place_in_inheritance("the parent waits here") + "; could"));
  CHECK_THAT(done.out, !Contains("program_scenario.cpp"));
}

TEST_CASE("a program that a shell executes has lines too", "[acceptance]") {
  const auto done = run(5, {}, {"/bin/sh", "-c", fixture("program_inheritance") + "; exit 0"});
  INFO(done.out);
  CHECK_THAT(done.out, Contains(place_in_inheritance("the child waits here")));
}

TEST_CASE("a library that a program loads while it runs has lines too", "[acceptance]") {
  const auto done = run(5, {}, {fixture("program_loads_plugin"), FORKLOOM_PLUGIN});
  INFO(done.out);
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("deadlock: "));
  CHECK_THAT(done.out, Contains(place_in("plugin.c", "the plugin waits here") + "; a missing"));
  CHECK_THAT(done.out, Contains(place_in("loads_plugin.c", "the program loads it here")));
}

TEST_CASE("a program without debug information has functions, or places in it", "[acceptance]") {
  CHECK_THAT(run(5, {}, {fixture("program_inheritance_bare")}).out,
             Contains("at hear in program_inheritance_bare; could") &&
                 Contains("at main in program_inheritance_bare; could"));
  const auto stripped = [] { return run(5, {}, {fixture("program_inheritance_stripped")}).out; };
  const auto first = stripped();
  const auto at = first.find(" at program_inheritance_stripped+0x");
  REQUIRE(at != std::string::npos);
  const auto place = first.substr(at, first.find(';', at) - at);
  CHECK_THAT(stripped(), Contains(place));  // wherever it was mapped
}

TEST_CASE("what the kernel takes back at a program's end is no leak", "[acceptance]") {
  // It ends with a descriptor and a mapping; the name is removed by the clean-up.
  require_correct(
      run(5, {"--cleanup", "rm /dev/shm/greeting"}, {fixture("program_shm_writer"), "/greeting"}));
}

TEST_CASE("a program's end is judged by its exit code or signal", "[acceptance]") {
  const auto endings = fixture("program_endings");
  CHECK(run(5, {"--expect-exit", "3"}, {endings, "3"}).code == 0);
  CHECK(run(5, {"--expect-exit", "5"}, {endings, "quick_exit"}).code == 0);
  CHECK(run(5, {"--expect-exit", "0,4"}, {endings, "0", "::", endings, "4"}).code == 0);

  const auto wrong = run(5, {"--expect-exit", "3"}, {endings, "0"});
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.out, Contains("exit: program_endings ended with exit code 0 instead of 3"));
  const auto aborted = run(5, {}, {endings, "abort"});
  CHECK(aborted.code == 1);
  CHECK_THAT(aborted.out, Contains("crash: program_endings was ended by SIGABRT"));
  CHECK_THAT(run(5, {}, {endings, "segv"}).out, Contains("SIGSEGV"));
}

TEST_CASE("a program that waits for ever, or never comes back, is told", "[acceptance]") {
  const auto endings = fixture("program_endings");
  const auto waits = run(5, {}, {endings, "wait"});
  CHECK(waits.code == 1);
  CHECK_THAT(waits.out, Contains("deadlock: program_endings waits for pipe 1 for ever"));
  const auto spins = run(1, {"--hang-limit", "300ms"}, {endings, "spin"});
  CHECK(spins.code == 1);
  CHECK_THAT(spins.out, Contains("hang: program_endings burns processor time"));
}

TEST_CASE("output that is forbidden, or missing, is a violation", "[acceptance]") {
  const auto missing = run(5, {"--expect-output", "five words"}, {fixture("program_pipe")});
  CHECK(missing.code == 1);
  CHECK_THAT(missing.out, Contains("expectation: ") && Contains("no program wrote \"five words\""));
  const auto forbidden = run(5, {"--forbid-output", "4 words"}, {fixture("program_pipe")});
  CHECK(forbidden.code == 1);
  CHECK_THAT(forbidden.out, Contains("program_pipe wrote \"4 words\""));
}

TEST_CASE("set-up, check and clean-up run around each execution", "[acceptance]") {
  const scratch_directory place;
  const auto log = (place.path() / "log").string();
  const auto note = [&](const std::string& word) { return "echo " + word + " >> " + log; };
  require_correct(
      run(2, {"--setup", note("setup"), "--check", note("check"), "--cleanup", note("cleanup")},
          {"/bin/true"}));
  std::ifstream file(log);
  CHECK(words(std::istream_iterator<std::string>(file), {}) ==
        words{"setup", "check", "cleanup", "setup", "check", "cleanup"});
}

TEST_CASE("a check that fails is a violation, a set-up or clean-up that fails is an error",
          "[acceptance]") {
  const auto checked = run(5, {"--check", "echo not so; exit 4"}, {"/bin/true"});
  CHECK(checked.code == 1);
  CHECK_THAT(checked.out, Contains("--check 'echo not so; exit 4' ended with exit code 4: not so"));
  CHECK_THAT(checked.out, Contains("forkloom replay fl1-") &&
                              Contains(" --check 'echo not so; exit 4' -- /bin/true"));
  const auto set_up = run(5, {"--setup", "exit 7"}, {"/bin/true"});
  CHECK(set_up.code == 3);
  CHECK_THAT(set_up.out, Contains("--setup 'exit 7' ended with exit code 7"));
  const auto cleaned_up = run(5, {"--cleanup", "kill -9 $$"}, {"/bin/true"});
  CHECK(cleaned_up.code == 3);
  CHECK_THAT(cleaned_up.out, Contains("--cleanup 'kill -9 $$' ended with signal 9"));
}

TEST_CASE("a failure file knows its programs", "[acceptance]") {
  const scratch_directory place;
  const auto saved = run(5, {"--save", place.path().string(), "--forbid-output", "4 words"},
                         {fixture("program_pipe")});
  REQUIRE(saved.code == 1);
  const auto file = std::filesystem::directory_iterator(place.path())->path().string();
  const auto again = run_forkloom({"replay", file, "--json"});
  CHECK(again.code == 1);
  CHECK(result_of(again).at("violations").at(0).at("kind") == "expectation");
  CHECK(result_of(again).at("violations").at(0).at("reproduced") == 1);
}

TEST_CASE("a token of programs wants the same programs", "[acceptance]") {
  const auto token = result_of(run(5, {"--json"}, {fixture("program_endings"), "wait"}))
                         .at("violations")
                         .at(0)
                         .at("token")
                         .get<std::string>();
  const auto bare = run_forkloom({"replay", token});
  CHECK(bare.code == 2);
  CHECK_THAT(bare.err, Contains("after '--'"));
  const auto others = run_forkloom({"replay", token, "--", "/bin/true"});
  CHECK(others.code == 2);
  CHECK_THAT(others.err, Contains("not of these programs"));
  CHECK(run_forkloom({"replay", token, "--", fixture("program_endings"), "wait"}).code == 1);
}

TEST_CASE("programs are the same run after run, whatever their addresses", "[acceptance]") {
  const scratch_directory place;
  const auto hashes = [&](const std::string& name) {
    const auto path = (place.path() / name).string();
    run(100, {"--keep-going", "--hashes", path},
        {fixture("program_shm_writer"), "/greeting", "::", fixture("program_shm_reader"),
         "/greeting", "::", fixture("program_super_server")});
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto first = hashes("first");
  CHECK(std::count(first.begin(), first.end(), '\n') == 100);
  CHECK(first == hashes("second"));
}

TEST_CASE("scripts run by their interpreter, and what that executes", "[acceptance]") {
  const scratch_directory place;
  const auto script = place.path() / "script";
  std::ofstream(script) << "#!/bin/sh\necho one two | wc -w && exec " << fixture("program_pipe")
                        << "\n";
  chmod(script.c_str(), 0700);
  require_correct(
      run(50, {"--expect-output", "2", "--expect-output", "counted 4 words"}, {script.string()}));
}

TEST_CASE("mistakes about programs are told, and are usage errors", "[acceptance]") {
  const scratch_directory place;
  const auto path = [&](const char* name) { return (place.path() / name).string(); };
  std::ofstream(path("plain")) << "exit 0\n";
  std::ofstream(path("script")) << "exit 0\n";
  std::ofstream(path("lost")) << "#!/nonexistent/shell\n";
  chmod(path("script").c_str(), 0700);
  chmod(path("lost").c_str(), 0700);
  const std::vector<std::pair<words, std::string>> mistakes{
      {{"run", "--"}, "there is no program after '--'"},
      {{"run", "--", "/bin/true", "::"}, "a program is missing beside '::'"},
      {{"run", "--", "::", "/bin/true"}, "a program is missing beside '::'"},
      {{"run", "--", ""}, "a program is missing"},
      {{"run", "--", "/nonexistent"}, "cannot run /nonexistent: No such file or directory"},
      {{"run", "--", "no-such-program"}, "no directory in PATH has a program of that name"},
      {{"run", "--", place.path().string()}, "it is a directory"},
      {{"run", "--", path("plain")}, "it is not executable"},
      {{"run", "--", path("script")}, "neither an ELF program nor a script that begins with #!"},
      {{"run", "--", path("lost")}, "its interpreter /nonexistent/shell is not there"},
      {{"run", "--", fixture("program_static")}, "it is statically linked"},
      {{"run", "a lost deposit", "--", "/bin/true"}, "not both"},
      {{"run", "--check", "true", "a lost deposit"}, "--check is for programs"},
      {{"run", "--check", "", "--", "/bin/true"}, "--check is empty"},
      {{"run", "--expect-exit", "256", "--", "/bin/true"}, "--expect-exit"},
      {{"run", "--expect-exit", "0,1", "--", "/bin/true"}, "--expect-exit has 2 codes for 1"},
      {{"list", "--", "/bin/true"}, "'--' and programs are for run and replay"}};
  for (const auto& [arguments, message] : mistakes) {
    const auto done = run_forkloom(arguments);
    CHECK(done.code == 2);
    CHECK(done.out.empty());
    CHECK_THAT(done.err, Contains(message));
  }
}

TEST_CASE("a program with privileges is refused", "[acceptance]") {
  if (getuid() != 0) return;  // only the superuser can make one of somebody else's
  const scratch_directory place;
  const auto copy = (place.path() / "copy").string();
  std::filesystem::copy_file("/bin/true", copy);
  REQUIRE(chown(copy.c_str(), 1, 1) == 0);
  REQUIRE(chmod(copy.c_str(), 04755) == 0);
  const auto done = run(5, {}, {copy});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("is set-uid, set-gid or has file capabilities"));
}

TEST_CASE("a program that is executed without /proc cannot be followed, ends, and says so",
          "[acceptance]") {
  const auto done = run(1, {}, {fixture("program_without_proc")});
  INFO(done.out);
  if (done.out.find("exit code 77") != std::string::npos) {
    WARN("no mounts are allowed here");
    return;
  }
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("program_without_proc ended with exit code 125"));
  CHECK_THAT(done.out, Contains("forkloom: cannot follow into this program"));
}

TEST_CASE("a program for another machine is refused", "[acceptance]") {
  const scratch_directory place;
  const auto copy = (place.path() / "copy").string();
  std::filesystem::copy_file("/bin/true", copy);
  std::fstream(copy, std::ios::in | std::ios::out | std::ios::binary).seekp(18).put('\xb7');
  const auto done = run(5, {}, {copy});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("is not for this processor"));
}

TEST_CASE("a program that cannot be followed, executed deep within, is named", "[acceptance]") {
  const auto done = run(5, {}, {"/bin/sh", "-c", fixture("program_static") + "; exit 0"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("not under control: program program_static"));
}

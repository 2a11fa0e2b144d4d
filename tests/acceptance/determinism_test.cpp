// The same seeds give the same interleavings: in another process, at other addresses, with another
// environment. Shown on 1,000 execution seeds over every mechanism of the scenario library.
#include <sys/personality.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/acceptance/command_run.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::command;
using forkloom::tests::scratch_directory;

using lines = std::vector<std::string>;

// Twenty scenarios, most of them broken: what fails must fail in the same way again.
const lines representatives{
    // mutexes
    "a counter under a mutex", "bank transfers that lock the source first",
    "dining philosophers who all take the left fork first",
    "a robust mutex that the next owner mends", "a mutex whose owner dies",
    // condition variables
    "a bounded buffer that waits with if", "a wake-up that nobody remembers",
    // semaphores
    "a bounded buffer that locks before it waits", "a writer behind a turnstile",
    // pipes and FIFOs
    "a pipe ping-pong that writes all before it reads",
    "a pipe ping-pong that answers what it has read", "two FIFOs opened in opposite order",
    // Boost.Interprocess
    "a till in a managed segment without its mutex", "two message queues that both fill up",
    "a named mutex that is not taken",
    // shared memory
    "a broken counter", "an atomic counter",
    // leaks
    "a forgotten shared memory object", "a forgotten named semaphore", "a forgotten child"};

constexpr std::size_t executions_each = 25;
const lines strategies{"random", "pct:3"};

lines lines_of(const std::filesystem::path& file) {
  lines all;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

// What --hashes writes, in a run of its own.
lines hashes_of(const std::string& binary, lines arguments, const lines& environment = {}) {
  const scratch_directory directory;
  const auto file = directory.path() / "hashes";
  arguments.insert(arguments.begin(), "run");
  arguments.insert(arguments.end(),
                   {"--keep-going", "--replays", "1", "--quiet", "--hashes", file.string()});
  const auto done = command(binary, arguments, environment).wait();
  CAPTURE(done.out, done.err);
  REQUIRE(done.code <= 1);  // so few executions need not find what a scenario declares
  return lines_of(file);
}

// All 1,000 executions.
lines library_hashes(const std::string& seed, const lines& environment = {}) {
  lines all;
  for (const auto& strategy : strategies) {
    auto arguments = representatives;
    arguments.insert(arguments.end(), {"--strategy", strategy, "--seed", seed, "--executions",
                                       std::to_string(executions_each)});
    const auto some = hashes_of(FORKLOOM_COMMAND, arguments, environment);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// The first line in which two runs differ, with both sides; "" if they are the same. A line begins
// with the number of the execution and its seed.
std::string first_difference(const lines& a, const lines& b) {
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (left == a.end() && right == b.end()) return {};
  const auto side = [](const lines& all, auto at) { return at == all.end() ? "nothing" : *at; };
  return "the first seed that differs (number, seed, steps, hash, scenario):\n  " + side(a, left) +
         "\n  " + side(b, right);
}

bool addresses_are_random() {
  constexpr unsigned long only_ask = 0xffff'ffff;
  const int persona = personality(only_ask);
  return persona != -1 && (persona & ADDR_NO_RANDOMIZE) == 0;
}

std::set<std::string> hash_column(const lines& all) {
  std::set<std::string> hashes;
  for (const auto& line : all) {
    std::istringstream fields(line);
    std::string number, seed, steps, hash;
    fields >> number >> seed >> steps >> hash;
    hashes.insert(hash);
  }
  return hashes;
}

}  // namespace

TEST_CASE("a thousand seeds give the same hashes in another process and environment",
          "[acceptance][determinism]") {
  REQUIRE(addresses_are_random());
  const auto first = library_hashes("2026");
  REQUIRE(first.size() == 1'000);
  CHECK(first_difference(first, library_hashes("2026")) == "");
  // The environment lies above the stack: a long variable shifts every local.
  const auto shifted = library_hashes("2026", {"LONG=" + std::string(100'003, 'x')});
  CHECK(first_difference(first, shifted) == "");
  // If all executions were alike, so would be their hashes.
  CHECK(hash_column(first).size() > 300);
}

TEST_CASE("each strategy takes the same steps in another run", "[acceptance][determinism]") {
  const std::string strategy = GENERATE("sticky", "delay", "fair", "rr", "pos");
  const auto run = [&] {
    lines arguments(representatives.begin(), representatives.begin() + 8);
    arguments.insert(arguments.end(), {"--strategy", strategy, "--executions", "5"});
    return hashes_of(FORKLOOM_COMMAND, arguments);
  };
  const auto first = run();
  CAPTURE(strategy);
  REQUIRE(first.size() == 40);
  CHECK(first_difference(first, run()) == "");
  CHECK(hash_column(first).size() > 8);  // not one and the same for all executions of a scenario
}

TEST_CASE("sixty-four processes of four threads take the same steps in another run",
          "[acceptance][determinism]") {
  const auto run = [](const std::string& strategy) {
    return hashes_of(FORKLOOM_COMMAND, {"sixty-four processes of four threads", "--strategy",
                                        strategy, "--executions", "3"});
  };
  const auto first = run("random");
  REQUIRE(first.size() == 3);
  CHECK(hash_column(first).size() == 3);
  CHECK(first_difference(first, run("random")) == "");
  CHECK(first_difference(run("pct:3"), run("pct:3")) == "");
}

TEST_CASE("strategies that learn learn the same in another run", "[acceptance][determinism]") {
  const auto* strategy = GENERATE("portfolio", "guided", "swarm", "surw");
  const auto run = [&](const std::string& seed) {
    return hashes_of(FORKLOOM_COMMAND, {"bank transfers that lock the source first",
                                        "a bounded buffer that waits with if", "--strategy",
                                        strategy, "--executions", "100", "--seed", seed});
  };
  const auto first = run("1");
  REQUIRE(first.size() == 200);
  CHECK(hash_column(first).size() > 20);
  CHECK(first_difference(first, run("1")) == "");
  CHECK(first != run("2"));
}

TEST_CASE("a search takes the same course in another run", "[acceptance][determinism]") {
  const auto* strategy = GENERATE("dfs:1", "dpor", "dpor:1");
  CAPTURE(strategy);
  const auto run = [&] {
    return hashes_of(FORKLOOM_COMMAND, {"a bounded buffer that waits with if", "--strategy",
                                        strategy, "--executions", "100"});
  };
  const auto first = run();
  CHECK(hash_column(first).size() > 20);
  CHECK(first_difference(first, run()) == "");
}

TEST_CASE("faults befall the same tasks at the same steps in another run",
          "[acceptance][determinism]") {
  const auto own = [] {
    return hashes_of(FORKLOOM_COMMAND, {"[faults]", "--executions", "25"},
                     {"LONG=" + std::string(static_cast<std::size_t>(getpid()) % 1'000, 'x')});
  };
  const auto first = own();
  CHECK(first.size() >= 500);
  CHECK(first_difference(first, own()) == "");
  const auto any = [](const std::string& strategy) {
    auto arguments = representatives;
    arguments.insert(arguments.end(), {"--executions", "10", "--strategy", strategy, "--faults",
                                       "kill:1,stop:1,eintr:2", "--timeouts", "race"});
    return hashes_of(FORKLOOM_COMMAND, arguments);
  };
  for (const std::string strategy : {"random", "pct:3", "guided", "swarm"})
    CHECK(first_difference(any(strategy), any(strategy)) == "");
}

TEST_CASE("another campaign seed gives other hashes", "[acceptance][determinism]") {
  const auto run = [](const std::string& seed) {
    return hashes_of(FORKLOOM_COMMAND,
                     {"a counter under a mutex", "--executions", "25", "--seed", seed});
  };
  CHECK(hash_column(run("1")) != hash_column(run("2")));
}

TEST_CASE("a scenario that depends on its addresses is found by its hashes",
          "[acceptance][determinism]") {
  REQUIRE(addresses_are_random());
  const lines arguments{"steps that depend on addresses", "--executions", "2"};
  const auto difference = first_difference(hashes_of(FORKLOOM_FIXTURES, arguments),
                                           hashes_of(FORKLOOM_FIXTURES, arguments));
  CHECK_THAT(difference,
             Contains("the first seed that differs") && Contains("steps that depend on addresses"));
}

TEST_CASE("a run that is shorter than the other one differs at its end",
          "[acceptance][determinism]") {
  CHECK_THAT(first_difference({"0 7 1 ab x", "1 8 1 cd x"}, {"0 7 1 ab x"}),
             Contains("1 8 1 cd x\n  nothing"));
}

TEST_CASE("a file for hashes that cannot be written is a usage error", "[acceptance]") {
  const auto done =
      forkloom::tests::run_forkloom({"run", "deposits in turn", "--hashes", "/nonexistent/hashes"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("--hashes: cannot write to /nonexistent/hashes"));
}

TEST_CASE("hashes that do not reach their file are an error", "[acceptance]") {
  // /dev/full refuses every byte.
  const auto done =
      forkloom::tests::run_forkloom({"run", "deposits in turn", "--hashes", "/dev/full"});
  CHECK(done.code == 3);
  CHECK_THAT(done.err, Contains("--hashes: cannot write to /dev/full"));
}

TEST_CASE("the first execution's hash is the one that its token carries", "[acceptance]") {
  const scratch_directory directory;
  const auto file = (directory.path() / "hashes").string();
  const auto done = forkloom::tests::run_forkloom({"run", "a crash", "--hashes", file});
  REQUIRE(lines_of(file).size() == 1);
  const auto hashes = hash_column(lines_of(file));
  CHECK_THAT(done.out, Contains("-" + *hashes.begin() + "-"));
}

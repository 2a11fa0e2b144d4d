// A Catch2 session with Forkloom's options. Each is the environment variable of the same meaning,
// and stands above it.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace command_line = Catch::Clara;
#else
#define CATCH_CONFIG_RUNNER
// Catch2 breaks the lines of a message there; a table or a replay token must stay whole.
#define CATCH_CONFIG_CONSOLE_WIDTH 160
#include <catch2/catch.hpp>
namespace command_line = Catch::clara;
#endif

#include <cstdlib>
#include <iostream>
#include <string>

#include "forkloom/catch2.hpp"
#include "forkloom/error.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/trace/token.hpp"

namespace {

constexpr int usage = 2;

struct settings {
  std::string executions, seed, strategy, replay;
};

void set_if_given(const char* variable, const std::string& value) {
  if (!value.empty()) setenv(variable, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
}

void put_into_environment(const settings& given) {
  set_if_given("FORKLOOM_EXECUTIONS", given.executions);
  set_if_given("FORKLOOM_SEED", given.seed);
  set_if_given("FORKLOOM_STRATEGY", given.strategy);
  set_if_given("FORKLOOM_REPLAY", given.replay);
}

// Throws usage_error now rather than once in each test case.
void check_environment() {
  (void)forkloom::explore::with_environment({});
  const char* token = std::getenv("FORKLOOM_REPLAY");  // NOLINT(concurrency-mt-unsafe)
  if (token != nullptr && *token != '\0') (void)forkloom::decode(token);
}

auto parser_of(Catch::Session& session, settings& given) {
  using command_line::Opt;
  return session.cli() |
         Opt(given.executions, "N")["--forkloom-executions"]("at most N executions of a scenario") |
         Opt(given.seed, "S")["--forkloom-seed"]("the campaigns' seed") |
         Opt(given.strategy, "A,B")["--forkloom-strategy"]("strategies: each is a section") |
         Opt(given.replay, "TOKEN")["--forkloom-replay"]("run only this one execution");
}

}  // namespace

int main(int argc, char** argv) {
  Catch::Session session;
  settings given;
  session.cli(parser_of(session, given));
  forkloom::register_scenarios_with_catch2();
  if (const int failed = session.applyCommandLine(argc, argv); failed != 0) return failed;
  try {
    put_into_environment(given);
    check_environment();
  } catch (const forkloom::usage_error& error) {
    std::cerr << "forkloom: " << error.what() << '\n';
    return usage;
  }
  return session.run();
}

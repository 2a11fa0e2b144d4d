// Real processes, explored up to a bound on preemptions by two searches that share only the bound:
// they see the same classes, and find the same violations.
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "framework/explore/bounded_dpor.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/explore/dfs.hpp"
#include "framework/explore/partial_order.hpp"
#include "framework/explore/runner.hpp"
#include "tests/bench/class_programs.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using nlohmann::json;

template <class Explorer>
json explore_all(const bench::class_program& program, std::uint32_t bound,
                 const explore::worker_context& context) {
  const scenario_info info{.name = program.name, .line = 1, .body = program.body};
  const options how;
  explore::runner run(info, how, context);
  Explorer search(bound);
  std::set<std::uint64_t> classes;
  std::uint64_t executions = 0;
  while (const auto attempt = search.next(executions)) {
    const auto t = run.run(attempt->strategy, attempt->seed, explore::tracing::lean);
    const auto steps = explore::steps_of(t);
    classes.insert(
        explore::partial_order(steps, t.choices, steps.done.size() + steps.pending.size())
            .class_hash());
    search.learn(t, false);
    ++executions;
  }
  return {{"classes", classes},
          {"executions", executions},
          {"departed", search.conclusion().find("departed") != std::string::npos}};
}

const bench::class_program& named(const std::string& name) {
  static const auto all = bench::class_programs();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

TEST_CASE("dpor with a bound executes the classes that all schedules within the bound have",
          "[explore]") {
  for (const auto* name :
       {"1 reader, 1 writer", "2 writers", "2 incrementers", "2 owners of a mutex",
        "2 locks, opposed", "last zero, 2", "indexer, 2 tasks", "message chain", "2 producers",
        "semaphore and memory", "broadcast to 2", "pipe chain"})
    for (const auto bound : {0U, 1U}) {
      INFO(name << ", at most " << bound);
      const auto text = explore::run_in_worker([&](const explore::worker_context& context) {
        return json{{"dfs", explore_all<explore::dfs>(named(name), bound, context)},
                    {"dpor", explore_all<explore::bounded_dpor>(named(name), bound, context)}}
            .dump();
      });
      const auto found = json::parse(text);
      const auto& dfs = found.at("dfs");
      const auto& dpor = found.at("dpor");
      CHECK(dpor.at("classes") == dfs.at("classes"));
      CHECK(dpor.at("executions") <= dfs.at("executions"));
      CHECK(dpor.at("departed") == false);
    }
}

TEST_CASE("dpor with a bound finds what needs so many preemptions, and not what needs more",
          "[explore]") {
  const auto& program = named("2 locks, opposed");
  const scenario_info info{.name = program.name, .line = 1, .body = program.body};
  options how;
  how.checkers = {"deadlock"};
  how.keep_going = true;
  how.replays = 1;
  how.strategy = "dpor:0";
  const auto without = explore::run_campaign(info, how);
  CHECK(without.findings.empty());
  CHECK(without.conclusion ==
        "all 2 interleavings (happens-before classes) with at most 0 preemptions explored, none "
        "violates");
  how.strategy = "dpor:1";
  const auto with = explore::run_campaign(info, how);
  REQUIRE(with.findings.size() == 1);
  CHECK(with.findings[0].violations.front().kind == violation_kind::deadlock);
  CHECK_THAT(with.conclusion, Catch::Contains("1 of them violates"));
}

}  // namespace

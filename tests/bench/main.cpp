// forkloom-bench: what control costs, each figure beside a baseline in the same place.
//
//   forkloom-bench [--json] [switch] [point] [trap] [executions] [scaling] [memory]
//                  [linearizability] [classes]
//   forkloom-bench finds [--json] [--seeds N] [--executions N] [--strategies A,B]
//                        [--scenarios PART]
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "forkloom/error.hpp"
#include "forkloom/scenario.hpp"
#include "framework/execution/controller.hpp"
#include "framework/execution/scenario_memory.hpp"
#include "framework/execution/sys.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/explore/runner.hpp"
#include "framework/explore/worker.hpp"
#include "framework/strategy/random.hpp"
#include "tests/bench/classes.hpp"
#include "tests/bench/finds.hpp"
#include "tests/bench/futex_ring.hpp"
#include "tests/bench/linearizability.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/memory.hpp"
#include "tests/bench/shrink.hpp"

namespace forkloom::bench {
namespace {

using nlohmann::json;

constexpr unsigned pairs = 7;
constexpr unsigned total_switches = 100'000;
constexpr execution::controller::limits no_limits{.progress_steps = 100'000'000};

shared<long>& variable(execution::scenario_memory& memory) {
  return *new (memory.allocate(sizeof(shared<long>), alignof(shared<long>))) shared<long>;
}

// Seconds a controlled step takes when each step is a switch: the schedule goes round in a ring.
double controlled_ring_seconds(unsigned tasks, unsigned rounds) {
  execution::scenario_memory memory;
  auto& x = variable(memory);
  schedule ring;
  // A start, the rounds, and an exit each.
  for (unsigned step = 0; step < tasks * (rounds + 2); ++step)
    ring.picks.push_back({step, task_id(step % tasks)});
  execution::controller controller(no_limits, -1);
  controller.begin(strategy::replay(ring), 1, false);
  for (unsigned i = 0; i < tasks; ++i)
    controller.spawn("task", [&] {
      for (unsigned round = 0; round < rounds; ++round) static_cast<void>(x.load());
    });
  // Deaths are no switches: the exits come after the rounds, and are few beside them.
  const auto took = seconds([&] { controller.run(); });
  const auto switches = controller.memory().schedule.switches;
  return took / static_cast<double>(switches);
}

json compare_switches(const char* bench, unsigned tasks) {
  const auto rounds = std::max(20U, total_switches / tasks);
  const auto c = compare(
      pairs, [&] { return controlled_ring_seconds(tasks, rounds); },
      [&] { return futex_ring_seconds(tasks, rounds); });
  return {{"bench", bench},
          {"tasks", tasks},
          {"ratio", c.ratio},
          {"ns", c.subject * 1e9},
          {"baseline", "futex hand-over in a ring"},
          {"baseline_ns", c.baseline * 1e9}};
}

std::vector<json> bench_switch() {
  std::vector<json> rows;
  for (const unsigned tasks : {2U, 8U, 64U, 256U})
    rows.push_back(compare_switches("switch", tasks));
  return rows;
}

// A scheduling point at which the task goes on, beside a system call that does nothing.
std::vector<json> bench_point() {
  constexpr unsigned points = 500'000;
  const auto controlled = [] {
    execution::scenario_memory memory;
    auto& x = variable(memory);
    execution::controller controller(no_limits, -1);
    controller.begin(strategy::random_walk{}, 1, false);
    controller.spawn("task", [&] {
      for (unsigned i = 0; i < points; ++i) static_cast<void>(x.load());
    });
    return seconds([&] { controller.run(); }) / points;
  };
  const auto system_call = [] {
    return seconds([] {
             for (unsigned i = 0; i < points; ++i) execution::sys::call(SYS_getppid);
           }) /
           points;
  };
  const auto c = compare(pairs, controlled, system_call);
  return {{{"bench", "point"},
           {"tasks", 1},
           {"ratio", c.ratio},
           {"ns", c.subject * 1e9},
           {"baseline", "getppid(2)"},
           {"baseline_ns", c.baseline * 1e9}}};
}

// A system call that traps, as libc's own do, and goes to the kernel in the end, beside one that
// does not.
std::vector<json> bench_trap() {
  constexpr unsigned calls = 200'000;
  const auto trapped = [] {
    execution::controller controller(no_limits, -1);
    controller.begin(strategy::random_walk{}, 1, false);
    controller.spawn("task", [] {
      for (unsigned i = 0; i < calls; ++i) execution::sys::call(SYS_getppid);
    });
    return seconds([&] { controller.run(); }) / calls;
  };
  const auto plain = [] {
    return seconds([] {
             for (unsigned i = 0; i < calls; ++i) execution::sys::call(SYS_getppid);
           }) /
           calls;
  };
  const auto c = compare(pairs, trapped, plain);
  return {{{"bench", "trap"},
           {"tasks", 1},
           {"ratio", c.ratio},
           {"ns", c.subject * 1e9},
           {"baseline", "getppid(2)"},
           {"baseline_ns", c.baseline * 1e9}}};
}

// Two processes with ten loads and ten stores each.
void increments(shared<long>& x) {
  for (int i = 0; i < 10; ++i) x = x + 1;
}

void two_incrementers(scenario& s) {
  auto& x = s.shared<long>("x");
  s.processes("task", 2, [&] { increments(x); });
}

// Executions a second under control, checkers aside, beside the same bodies merely forked.
std::vector<json> bench_executions(const explore::worker_context& context) {
  constexpr unsigned executions = 500;
  const scenario_info info{.name = "bench", .body = &two_incrementers};
  const options how;
  const auto controlled = [&] {
    explore::runner run(info, how, context);
    return executions / seconds([&] {
             for (unsigned i = 0; i < executions; ++i)
               static_cast<void>(run.run(strategy::random_walk{}, strategy::execution_seed(1, i),
                                         explore::tracing::lean));
           });
  };
  const auto bare = [] {
    execution::scenario_memory memory;
    auto& x = variable(memory);
    return executions / seconds([&] {
             for (unsigned i = 0; i < executions; ++i) {
               for (int n = 0; n < 2; ++n)
                 if (::fork() == 0) {
                   increments(x);
                   // Not ::_exit: it is intercepted, and would first look for libc's.
                   execution::sys::call(SYS_exit_group, 0);
                 }
               while (::waitpid(-1, nullptr, 0) > 0) continue;
             }
           });
  };
  const auto c = compare(pairs, controlled, bare);
  return {{{"bench", "executions"},
           {"tasks", 2},
           {"ratio", c.ratio},
           {"per_second", c.subject},
           {"baseline", "the same bodies forked without control"},
           {"baseline_per_second", c.baseline}}};
}

// The cost of a step among many tasks, beside the cost among two. Part of its growth is the
// kernel's: the caches of a processor hold a few processes, not a thousand. So the growth of a bare
// hand-over is told, too.
std::vector<json> bench_scaling() {
  std::vector<json> rows;
  const auto rounds = [](unsigned tasks) { return std::max(20U, total_switches / tasks); };
  const auto step = [&](unsigned tasks) { return controlled_ring_seconds(tasks, rounds(tasks)); };
  const auto bare = [&](unsigned tasks) { return futex_ring_seconds(tasks, rounds(tasks)); };
  for (const unsigned tasks : {2U, 8U, 64U, 256U, 1024U}) {
    const auto c = compare(
        pairs, [&] { return step(tasks); }, [&] { return step(2); });
    const auto growth = compare(
        pairs, [&] { return bare(tasks); }, [&] { return bare(2); });
    rows.push_back({{"bench", "scaling"},
                    {"tasks", tasks},
                    {"ratio", c.ratio},
                    {"ns", c.subject * 1e9},
                    {"baseline", "2 tasks"},
                    {"bare_growth", growth.ratio},
                    {"baseline_ns", c.baseline * 1e9}});
  }
  return rows;
}

std::vector<json> run(const std::string& bench, const explore::worker_context& context) {
  if (bench == "switch") return bench_switch();
  if (bench == "point") return bench_point();
  if (bench == "trap") return bench_trap();
  if (bench == "executions") return bench_executions(context);
  if (bench == "memory") return bench_memory();
  if (bench == "linearizability") return bench_linearizability();
  return bench_scaling();
}

std::string line(const json& row, bool as_json) {
  if (as_json) return row.dump();
  const bool rate = row.contains("per_second");
  auto text = fmt::format("{:<12}{:>5} tasks   ratio {:>6.2f}   {:>8.1f} {}   {:>8.1f} {}",
                          row["bench"].get<std::string>(), row["tasks"].get<unsigned>(),
                          row["ratio"].get<double>(), row[rate ? "per_second" : "ns"].get<double>(),
                          rate ? "/s" : "ns",
                          row[rate ? "baseline_per_second" : "baseline_ns"].get<double>(),
                          row["baseline"].get<std::string>());
  if (row.contains("bare_growth"))
    text += fmt::format("   (a bare hand-over: {:.2f})", row["bare_growth"].get<double>());
  return text;
}

// As a shell says it of a program that a signal ended.
int interrupted() { return 128 + explore::interrupting_signal(); }

int how_soon(const finds_request& what) {
  try {
    print_finds(what);
  } catch (const usage_error& error) {
    fmt::print(stderr, "forkloom-bench: {}\n", error.what());
    return 2;
  }
  return explore::interrupting_signal() == 0 ? 0 : interrupted();
}

}  // namespace
}  // namespace forkloom::bench

int main(int argc, char** argv) {
  using namespace forkloom;
  // "shrink" takes minutes, and is about no processor: only if it is named.
  const std::vector<std::string> usual{
      "switch", "point", "trap", "executions", "scaling", "memory", "linearizability", "classes"};
  auto names = usual;
  names.emplace_back("shrink");
  std::vector<std::string> chosen;
  bool as_json = false;
  CLI::App app{"What control costs, beside a baseline on the same processor."};
  app.add_option(
         "bench", chosen,
         "switch, point, trap, executions, scaling, memory, linearizability, classes; none: all "
         "these. shrink: how small the library's failures become")
      ->check(CLI::IsMember(names));
  app.add_flag("--json", as_json, "one JSON object a line");
  bench::finds_request finds;
  auto* finds_command = app.add_subcommand("finds", "How soon each strategy finds what is broken");
  finds_command->add_option("--seeds", finds.seeds, "campaigns of each strategy on each scenario")
      ->check(CLI::PositiveNumber);
  finds_command->add_option("--executions", finds.executions, "of a campaign, at most")
      ->check(CLI::PositiveNumber);
  finds_command->add_option("--strategies", finds.strategies, "only these")->delimiter(',');
  finds_command->add_option("--scenarios", finds.scenarios, "those with that in their name");
  finds_command->add_flag("--json", finds.as_json, "one JSON object a line");
  CLI11_PARSE(app, argc, argv);
  if (finds_command->parsed()) return bench::how_soon(finds);
  if (chosen.empty()) chosen = usual;
  for (const auto& bench : chosen) {
    if (bench == "shrink") {  // each campaign has a worker of its own
      bench::bench_shrink(as_json);
      if (explore::interrupting_signal() != 0) return bench::interrupted();
      continue;
    }
    const auto lines = explore::run_in_worker([&](const explore::worker_context& context) {
      if (bench == "classes") return bench::table_of_classes(context, as_json);
      std::string text;
      for (const auto& row : bench::run(bench, context)) text += bench::line(row, as_json) + "\n";
      return text;
    });
    fmt::print("{}", lines);
    std::fflush(stdout);
  }
}

#include "tests/bench/classes.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "framework/explore/bounded_dpor.hpp"
#include "framework/explore/dfs.hpp"
#include "framework/explore/dpor.hpp"
#include "framework/explore/partial_order.hpp"
#include "framework/explore/runner.hpp"
#include "tests/bench/class_programs.hpp"

namespace forkloom::bench {
namespace {

constexpr std::uint64_t dfs_max = 2'000;
constexpr std::uint64_t bounded_dfs_max = 1'000;
constexpr std::uint64_t dpor_max = 20'000;

struct found {
  std::uint64_t executions = 0;
  std::set<std::uint64_t> classes;
  bool all = false;
};

template <class Explorer>
found explore_all(Explorer& with, const class_program& program, std::uint64_t executions_max,
                  const explore::worker_context& context) {
  const scenario_info info{.name = program.name, .body = program.body};
  const options how;
  explore::runner run(info, how, context);
  found result;
  while (result.executions < executions_max) {
    const auto attempt = with.next(result.executions);
    if (!attempt) break;
    const auto t = run.run(attempt->strategy, attempt->seed, explore::tracing::lean);
    ++result.executions;
    const auto steps = explore::steps_of(t);
    result.classes.insert(
        explore::partial_order(steps, t.choices, steps.done.size() + steps.pending.size())
            .class_hash());
    with.learn(t, false);
  }
  result.all = with.finished();
  return result;
}

std::string row(const class_program& program, const explore::worker_context& context,
                bool as_json) {
  explore::dfs all(std::nullopt);
  const auto brute = explore_all(all, program, dfs_max, context);
  explore::dpor reduced;
  const auto one_each = explore_all(reduced, program, dpor_max, context);
  const auto classes = one_each.classes.size();
  const bool ok = one_each.all && classes == program.classes &&
                  (!brute.all || brute.classes.size() == program.classes);
  const auto text = [&](std::uint64_t count) {
    return brute.all ? std::to_string(count) : std::string("-");
  };
  if (as_json)
    return nlohmann::json{{"bench", "classes"},
                          {"program", program.name},
                          {"dfs", text(brute.executions)},
                          {"dfs_classes", text(brute.classes.size())},
                          {"by_hand", program.classes},
                          {"dpor_classes", classes},
                          {"repeated", one_each.executions - classes},
                          {"ok", ok}}
               .dump() +
           "\n";
  return fmt::format("{:<22}{:>10}{:>13}{:>9}{:>6}{:>10}  {}\n", program.name,
                     text(brute.executions), text(brute.classes.size()), program.classes, classes,
                     one_each.executions - classes, ok ? "ok" : "WRONG");
}

// With at most so many preemptions: how many executions dfs and dpor need for the same classes.
std::string bounded_row(const class_program& program, std::uint32_t bound,
                        const explore::worker_context& context, bool as_json) {
  explore::dfs all(bound);
  const auto brute = explore_all(all, program, bounded_dfs_max, context);
  explore::bounded_dpor reduced(bound);
  const auto one_each = explore_all(reduced, program, dpor_max, context);
  const bool ok = one_each.all && (!brute.all || brute.classes == one_each.classes);
  const auto dfs =
      brute.all ? std::to_string(brute.executions) : fmt::format(">{}", bounded_dfs_max);
  if (as_json)
    return nlohmann::json{{"bench", "classes"},
                          {"program", program.name},
                          {"preemptions_max", bound},
                          {"dfs", dfs},
                          {"dpor", one_each.executions},
                          {"dpor_classes", one_each.classes.size()},
                          {"ok", ok}}
               .dump() +
           "\n";
  return fmt::format("{:<22}{:>6}{:>10}{:>10}{:>10}  {}\n", program.name, bound, dfs,
                     one_each.executions, one_each.classes.size(), ok ? "ok" : "WRONG");
}

}  // namespace

std::string table_of_classes(const explore::worker_context& context, bool as_json) {
  auto text = as_json ? std::string()
                      : fmt::format("{:<22}{:>10}{:>13}{:>9}{:>6}{:>10}\n", "classes", "dfs",
                                    "of classes", "by hand", "dpor", "repeated");
  for (const auto& program : class_programs()) text += row(program, context, as_json);
  if (!as_json)
    text += fmt::format("\n{:<22}{:>6}{:>10}{:>10}{:>10}\n", "within a bound", "N", "dfs:N",
                        "dpor:N", "classes");
  for (const auto& program : class_programs())
    for (const auto bound : {1U, 2U}) text += bounded_row(program, bound, context, as_json);
  return text;
}

}  // namespace forkloom::bench

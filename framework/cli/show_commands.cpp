// list, checkers, strategies: what there is.
#include <fmt/format.h>

#include <algorithm>

#include "checkers/checker.hpp"
#include "framework/cli/command.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/selection.hpp"
#include "framework/report/describe.hpp"
#include "framework/report/json.hpp"

namespace forkloom::cli {
namespace {

std::string tags_of(const scenario_info& scenario) {
  std::string text;
  for (const auto& tag : scenario.tags) text += "[" + tag + "]";
  return text;
}

std::string expects_of(const scenario_info& scenario) {
  std::string text;
  for (const auto kind : scenario.defaults.expects)
    text += (text.empty() ? "expects " : ", ") + std::string(name(kind));
  return text;
}

void print(const scenario_info& scenario) {
  fmt::print("{}\n    {}{}{}  {}:{}\n", scenario.name, tags_of(scenario),
             scenario.defaults.expects.empty() ? "" : "  ", expects_of(scenario),
             report::short_place(scenario.file), scenario.line);
}

}  // namespace

int list(const list_request& request) {
  auto patterns = request.patterns;
  if (patterns.empty() && !scenarios().empty()) patterns.emplace_back("*");
  const auto selected = select(scenarios(), patterns);
  if (request.json) {
    fmt::print("{}\n", report::dump(report::list_json(selected)));
    return exit_code::as_expected;
  }
  for (const auto* scenario : selected) print(*scenario);
  fmt::print("{} scenario{}\n", selected.size(), selected.size() == 1 ? "" : "s");
  return exit_code::as_expected;
}

int show(const show_checkers&) {
  for (const auto& checker : checkers::all())
    fmt::print("{:<12} {}\n", checker.name, checker.description);
  return exit_code::as_expected;
}

int show(const show_strategies&) {
  fmt::print(
      "random       each step goes to any enabled task with the same probability\n"
      "pct:d        priorities with d - 1 changes at random steps (1 … 32); finds a bug of depth "
      "d\n"
      "             among n tasks and k steps with probability at least 1 / (n k^(d-1)) each "
      "time\n");
  return exit_code::as_expected;
}

}  // namespace forkloom::cli

// list, checkers, strategies: what there is.
#include <fmt/format.h>

#include <algorithm>

#include "checkers/checker.hpp"
#include "framework/cli/command.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/selection.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "framework/report/describe.hpp"
#include "framework/report/json.hpp"
#include "framework/trace/fault.hpp"

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

// Further lines stand below the first one, in the second column.
std::string indented(std::string_view text) {
  std::string lines;
  for (const char c : text) lines += c == '\n' ? fmt::format("\n{:<13}", "") : std::string(1, c);
  return lines;
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
    fmt::print("{:<18} {}{}\n", checker.name, checker.description,
               checker.by_default ? "" : " (only if --checkers names it)");
  return exit_code::as_expected;
}

int show(const show_strategies&) {
  for (const auto& strategy : explore::strategies()) {
    auto form = std::string(strategy.name);
    if (!strategy.parameter.empty()) form += strategy.usual == 0 ? ":N" : "[:N]";
    fmt::print("{:<12} {}\n", form, indented(strategy.what_it_is));
    if (!strategy.parameter.empty())
      fmt::print("{:<12} N: {}, {} … {}{}\n", "", strategy.parameter, strategy.least, strategy.most,
                 strategy.usual == 0 ? "" : "; " + explore::if_left_out(strategy));
  }
  for (const auto& own : explore::user_strategies())
    fmt::print("{:<12} {}\n", own.functions.takes_number ? own.name + "[:N]" : own.name,
               indented(own.what_it_is));
  return exit_code::as_expected;
}

// Each with its errors, if it is one of a call, and the operations that may have it.
int show(const show_faults&) {
  for (std::size_t i = 0; i < fault_kind_count; ++i) {
    const auto kind = fault_kind(i);
    const auto& fault = description(kind);
    fmt::print("{:<12} {}\n{:<12} where: {}\n", fault.name, indented(fault.what_it_is), "",
               fault.where);
    std::vector<std::string_view> calls;
    for (std::size_t op = 0; op < static_cast<std::size_t>(operation::count_); ++op)
      if (contains(faults_of(operation(op)), kind)) calls.push_back(name(operation(op)));
    if (!calls.empty()) fmt::print("{:<12} calls: {}\n", "", fmt::join(calls, ", "));
  }
  return exit_code::as_expected;
}

}  // namespace forkloom::cli

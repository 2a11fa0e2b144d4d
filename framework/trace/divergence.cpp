#include "framework/trace/divergence.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace forkloom {
namespace {

bool same(const event& a, const event& b) {
  return a.task == b.task && a.op == b.op && a.how == b.how && a.resource == b.resource;
}

std::string describe(const trace& t, std::size_t at) {
  if (at >= t.events.size()) return "the execution had ended";
  const auto& e = t.events[at];
  auto text =
      fmt::format("{}: {} {}", t.task_name(e.task), name(e.op), t.resource_name(e.resource));
  if (e.how == outcome::blocked) text += " (blocked)";
  if (const auto where = t.source(e); !where.empty()) text += " at " + where;
  return text;
}

}  // namespace

std::optional<divergence> find_divergence(const trace& expected, const trace& actual) {
  const auto [left, right] = std::mismatch(expected.events.begin(), expected.events.end(),
                                           actual.events.begin(), actual.events.end(), same);
  if (left == expected.events.end() && right == actual.events.end()) return std::nullopt;
  const auto at = static_cast<std::size_t>(left - expected.events.begin());
  return divergence{at, left != expected.events.end() ? left->step : expected.steps};
}

std::string describe_divergence(const trace& expected, const trace& actual) {
  const auto found = find_divergence(expected, actual);
  if (!found) return {};
  return fmt::format("the replay departed at step {}: expected {}; came {}", found->step,
                     describe(expected, found->event), describe(actual, found->event));
}

}  // namespace forkloom

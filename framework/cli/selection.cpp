#include "framework/cli/selection.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "forkloom/error.hpp"
#include "framework/cli/names.hpp"

namespace forkloom::cli {
namespace {

bool has_tag(const scenario_info& scenario, std::string_view tag) {
  return std::find(scenario.tags.begin(), scenario.tags.end(), tag) != scenario.tags.end();
}

struct wanted_tag {
  std::string tag;
  bool absent = false;
};

// The tags of "[a][b]~[c]"; none if the pattern is something else.
std::vector<wanted_tag> tags_of(std::string_view pattern) {
  std::vector<wanted_tag> tags;
  while (!pattern.empty()) {
    wanted_tag next;
    next.absent = pattern.starts_with('~');
    if (next.absent) pattern.remove_prefix(1);
    const auto end = pattern.find(']');
    if (!pattern.starts_with('[') || end == std::string_view::npos) return {};
    next.tag = pattern.substr(1, end - 1);
    tags.push_back(std::move(next));
    pattern.remove_prefix(end + 1);
  }
  return tags;
}

bool selects(std::string_view pattern, const scenario_info& scenario) {
  const auto tags = tags_of(pattern);
  if (tags.empty()) return matches(pattern, scenario.name);
  return std::all_of(tags.begin(), tags.end(), [&](const wanted_tag& wanted) {
    return has_tag(scenario, wanted.tag) != wanted.absent;
  });
}

[[noreturn]] void refuse(std::string_view pattern,
                         std::span<const scenario_info* const> scenarios) {
  std::vector<std::string> names;
  for (const auto* scenario : scenarios) {
    names.push_back(scenario->name);
    for (const auto& tag : scenario->tags) names.push_back("[" + tag + "]");
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  throw usage_error(fmt::format("no scenario is called '{}'.{} `forkloom list` shows all.", pattern,
                                did_you_mean(pattern, names)));
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;  // the last '*' met, and how much of the text it covers up to
  std::size_t covered = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      covered = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++covered;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::vector<const scenario_info*> select(std::span<const scenario_info* const> scenarios,
                                         std::span<const std::string> patterns) {
  std::vector<bool> selected(scenarios.size());
  for (const auto& pattern : patterns) {
    const auto exact = [&](const scenario_info* scenario) { return scenario->name == pattern; };
    const bool by_name = std::any_of(scenarios.begin(), scenarios.end(), exact);
    bool any = false;
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      if (by_name ? !exact(scenarios[i]) : !selects(pattern, *scenarios[i])) continue;
      selected[i] = true;
      any = true;
    }
    if (!any) refuse(pattern, scenarios);
  }
  std::vector<const scenario_info*> result;
  for (std::size_t i = 0; i < scenarios.size(); ++i)
    if (selected[i]) result.push_back(scenarios[i]);
  return result;
}

}  // namespace forkloom::cli

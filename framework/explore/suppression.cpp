#include "framework/explore/suppression.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "forkloom/error.hpp"

namespace forkloom::explore {
namespace {

bool matches(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

// "dir/bank.cpp:12" by itself, by its file, and both without the folders.
bool matches_line(const std::string& pattern, const std::string& line) {
  const auto slash = line.rfind('/');
  const auto short_line = slash == std::string::npos ? line : line.substr(slash + 1);
  for (const auto& place : {line, short_line})
    if (matches(pattern, place) || matches(pattern, place.substr(0, place.rfind(':')))) return true;
  return false;
}

}  // namespace

suppressions::suppressions(std::span<const std::string> texts) {
  for (const auto& text : texts) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon + 1 == text.size())
      throw usage_error(fmt::format(
          "suppression \"{}\" must be KIND:PATTERN, as in deadlock:account* or *:bank.cpp:12",
          text));
    const auto kind = text.substr(0, colon);
    suppression one{.kind = violation_kind_named(kind), .pattern = text.substr(colon + 1)};
    if (!one.kind && kind != "*")
      throw usage_error(fmt::format(
          "suppression \"{}\": \"{}\" is no kind of violation; see `forkloom checkers`, or use *",
          text, kind));
    all_.push_back(std::move(one));
  }
}

std::size_t suppressions::take_from(std::vector<violation>& found, const trace& what) const {
  if (all_.empty()) return 0;
  return std::erase_if(found, [&](const violation& v) { return cover(v, what); });
}

bool suppressions::cover(const violation& v, const trace& what) const {
  return std::any_of(all_.begin(), all_.end(), [&](const suppression& s) {
    if (s.kind && *s.kind != v.kind) return false;
    if (matches(s.pattern, v.resource)) return true;
    return std::any_of(v.evidence.begin(), v.evidence.end(), [&](std::size_t i) {
      if (i >= what.events.size()) return false;
      const auto line = what.source(what.events[i]);
      return !line.empty() && matches_line(s.pattern, line);
    });
  });
}

}  // namespace forkloom::explore

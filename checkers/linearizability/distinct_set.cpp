// A set is as many objects as there are values, each there or not. If a value is inserted once, it
// comes at some moment a and goes at some moment r > a. Whoever found it there bounds both: a
// before the response, r after the invocation. For those who did not find it, a is best as late and
// r as early as it may be; if then r < a would be possible, both can happen at one moment, which no
// other call need notice.
#include <algorithm>
#include <map>

#include "checkers/linearizability/known_objects.hpp"
#include "checkers/linearizability/moments.hpp"

namespace forkloom::checkers {
namespace {

struct value_story {
  std::optional<span_of_call> inserted;
  std::optional<span_of_call> removed;
  std::int64_t pending_removal_from = never;
  std::vector<span_of_call> there;   // found it
  std::vector<span_of_call> absent;  // did not
  bool inserted_twice = false;
  bool removed_twice = false;
};

void take(value_story& story, const recorded_call& c, span_of_call when) {
  const bool yes = c.result != 0;
  switch (c.operation) {
    case calls::insert:
      // One that found the value there tried to insert it a second time.
      if (story.inserted || (!c.pending && !yes)) story.inserted_twice = true;
      story.inserted = when;
      break;
    case calls::remove:
      if (c.pending) {
        story.pending_removal_from = std::min(story.pending_removal_from, when.from);
      } else if (yes) {
        if (story.removed) story.removed_twice = true;
        story.removed = when;
      } else {
        story.absent.push_back(when);
      }
      break;
    default:
      if (!c.pending) (yes ? story.there : story.absent).push_back(when);
  }
}

bool holds(const value_story& s) {
  const bool seen = s.removed || !s.there.empty();
  if (s.removed_twice) return false;
  if (!s.inserted) return !seen;
  if (s.inserted->to == never && !seen) return true;  // it may never have come
  // Whichever pending removal took it, the first of them could have done so as early as any.
  const auto removed = s.removed.value_or(span_of_call{s.pending_removal_from, never});
  auto comes_latest = std::min(s.inserted->to, removed.to);
  auto goes_earliest = std::max(removed.from, s.inserted->from);
  for (const auto& call : s.there) {
    comes_latest = std::min(comes_latest, call.to);
    goes_earliest = std::max(goes_earliest, call.from);
  }
  if (s.inserted->from > comes_latest || goes_earliest > removed.to) return false;
  if (goes_earliest < comes_latest) return true;
  return std::all_of(s.absent.begin(), s.absent.end(), [&](const span_of_call& call) {
    return call.from < comes_latest || call.to > goes_earliest;
  });
}

}  // namespace

std::optional<bool> judge_distinct_set(const history& what) {
  const auto when = spans(what);
  std::map<std::int64_t, value_story> stories;
  for (std::size_t i = 0; i < what.calls.size(); ++i)
    take(stories[what.calls[i].argument], what.calls[i], when[i]);
  for (const auto& [value, story] : stories)
    if (story.inserted_twice) return std::nullopt;
  return std::all_of(stories.begin(), stories.end(),
                     [](const auto& entry) { return holds(entry.second); });
}

}  // namespace forkloom::checkers

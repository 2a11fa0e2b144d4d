// A register: Gibbons & Korach's zones. The write of a value and the reads that saw it are a
// cluster. Let f be the first response in it and s the last invocation. If f < s, the register must
// have held the value from f to s: a forward zone. If s < f, all its calls can happen at one moment
// between s and f: a backward zone. The history is linearizable if and only if no read returns
// before its write is invoked, no two forward zones overlap, and no backward zone lies within a
// forward one.
#include <algorithm>
#include <map>

#include "checkers/linearizability/known_objects.hpp"
#include "checkers/linearizability/moments.hpp"

namespace forkloom::checkers {
namespace {

constexpr std::int64_t first_value = 0;

struct cluster {
  std::optional<span_of_call> written;
  std::int64_t first_response = never;
  std::int64_t last_invocation = -2;
  std::int64_t first_read_response = never;

  void take(span_of_call call) {
    first_response = std::min(first_response, call.to);
    last_invocation = std::max(last_invocation, call.from);
  }
  [[nodiscard]] bool was_read() const { return first_read_response != never; }
};

struct zone {
  std::int64_t from;
  std::int64_t to;
};

// Nothing if a value is written twice.
std::optional<std::map<std::int64_t, cluster>> clusters_of(const history& what) {
  const auto when = spans(what);
  std::map<std::int64_t, cluster> clusters;
  clusters[first_value].written = {-2, -1};
  clusters[first_value].take({-2, -1});
  for (std::size_t i = 0; i < what.calls.size(); ++i) {
    const auto& c = what.calls[i];
    if (c.operation == calls::write) {
      auto& own = clusters[c.argument];
      if (own.written) return std::nullopt;
      own.written = when[i];
      own.take(when[i]);
    } else if (!c.pending) {
      auto& own = clusters[c.result];
      own.first_read_response = std::min(own.first_read_response, when[i].to);
      own.take(when[i]);
    }
  }
  return clusters;
}

}  // namespace

std::optional<bool> judge_distinct_register(const history& what) {
  const auto clusters = clusters_of(what);
  if (!clusters) return std::nullopt;
  std::vector<zone> forward;
  std::vector<zone> backward;
  for (const auto& [value, c] : *clusters) {
    if (!c.written || c.first_read_response < c.written->from) return false;
    // A pending write that nobody has seen need not take effect.
    if (c.written->to == never && !c.was_read()) continue;
    if (c.first_response < c.last_invocation)
      forward.push_back({c.first_response, c.last_invocation});
    else
      backward.push_back({c.last_invocation, c.first_response});
  }
  std::sort(forward.begin(), forward.end(), [](auto& a, auto& b) { return a.from < b.from; });
  for (std::size_t i = 1; i < forward.size(); ++i)
    if (forward[i].from < forward[i - 1].to) return false;
  return std::none_of(backward.begin(), backward.end(), [&](const zone& inner) {
    const auto after = std::partition_point(forward.begin(), forward.end(),
                                            [&](auto& f) { return f.from < inner.from; });
    return after != forward.begin() && inner.to < std::prev(after)->to;
  });
}

}  // namespace forkloom::checkers

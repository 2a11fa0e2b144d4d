#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>

#include "checkers/linearizability/linearizability.hpp"
#include "checkers/linearizability/search.hpp"

namespace forkloom::checkers {
namespace {

[[noreturn]] void refuse(std::size_t call, const char* what) {
  throw std::invalid_argument("call " + std::to_string(call) + " of the history " + what);
}

void require_possible(const history& what) {
  std::set<std::uint64_t> positions;
  std::map<unsigned, std::vector<std::size_t>> by_process;
  for (std::size_t i = 0; i < what.calls.size(); ++i) {
    const auto& c = what.calls[i];
    if (!c.pending && c.returned <= c.invoked) refuse(i, "returns before it is invoked");
    if (!positions.insert(c.invoked).second || (!c.pending && !positions.insert(c.returned).second))
      refuse(i, "has a position that another call has");
    by_process[c.process].push_back(i);
  }
  for (auto& [process, own] : by_process) {
    std::sort(own.begin(), own.end(),
              [&](auto a, auto b) { return what.calls[a].invoked < what.calls[b].invoked; });
    for (std::size_t i = 1; i < own.size(); ++i) {
      const auto& before = what.calls[own[i - 1]];
      if (before.pending || before.returned > what.calls[own[i]].invoked)
        refuse(own[i], "begins before its process has returned from the one before");
    }
  }
}

// The calls between two moments at which none is under way become one block: all of them overlap,
// and only whole blocks come one after the other. A pending call is under way for ever.
history in_blocks(const history& what) {
  std::map<std::uint64_t, bool> moments;  // position → is it an invocation?
  for (const auto& c : what.calls) {
    moments[c.invoked] = true;
    if (!c.pending) moments[c.returned] = false;
  }
  std::map<std::uint64_t, std::uint64_t> block_of;  // of each invocation
  std::uint64_t block = 0;
  std::size_t under_way = 0;
  for (const auto& [when, invocation] : moments) {
    if (invocation && under_way == 0) ++block;
    if (invocation) block_of[when] = block;
    invocation ? ++under_way : --under_way;
  }
  auto blocks = what;
  const auto n = static_cast<std::uint64_t>(what.calls.size());
  for (std::uint64_t i = 0; i < n; ++i) {
    auto& c = blocks.calls[i];
    const auto begin = 2 * n * block_of[c.invoked];
    c.invoked = begin + i;
    c.returned = begin + n + i;
  }
  return blocks;
}

std::vector<std::size_t> all_of(const history& what) {
  std::vector<std::size_t> calls(what.calls.size());
  std::iota(calls.begin(), calls.end(), std::size_t{0});
  return calls;
}

judgement judge_by_key(const history& what, sequential_model& model, search_limits limits) {
  std::map<std::uint64_t, std::vector<std::size_t>> keys;
  for (std::size_t i = 0; i < what.calls.size(); ++i) keys[what.calls[i].key].push_back(i);
  judgement whole{.consistent = answer::yes};
  for (const auto& [key, calls] : keys) {
    auto one = search_intervals(what, calls, model, limits);
    whole.configurations += one.configurations;
    limits.configurations_max -= std::min(limits.configurations_max, one.configurations);
    whole.order.insert(whole.order.end(), one.order.begin(), one.order.end());
    // A key without an explanation settles it, whatever the others would have been.
    if (one.consistent == answer::no)
      return {.consistent = answer::no, .configurations = whole.configurations};
    if (one.consistent == answer::unknown) {
      whole.consistent = answer::unknown;
      whole.why = one.why;
    }
  }
  if (whole.consistent == answer::unknown) whole.order.clear();
  return whole;
}

// What had happened by that position: later responses are not known yet.
history until(const history& what, std::uint64_t position) {
  history prefix;
  for (auto c : what.calls) {
    if (c.invoked > position) continue;
    c.pending = c.pending || c.returned > position;
    prefix.calls.push_back(c);
  }
  return prefix;
}

}  // namespace

judgement judge(const history& what, sequential_model& model, consistency wanted,
                const search_limits& limits) {
  require_possible(what);
  if (what.calls.size() > limits.calls_max)
    return {.why = "the history has " + std::to_string(what.calls.size()) + " calls, " +
                   std::to_string(limits.calls_max) + " are the limit"};
  switch (wanted) {
    case consistency::sequential:
      return search_processes(what, all_of(what), model, limits);
    case consistency::quiescent:
      return search_intervals(in_blocks(what), all_of(what), model, limits);
    case consistency::linearizable:
      break;
  }
  return judge_by_key(what, model, limits);
}

// Prefixes of a linearizable history are linearizable, so the first that is not can be found by
// halving.
std::optional<std::size_t> first_unexplained(const history& what, sequential_model& model,
                                             const search_limits& limits) {
  std::vector<std::size_t> answered;
  for (std::size_t i = 0; i < what.calls.size(); ++i)
    if (!what.calls[i].pending) answered.push_back(i);
  std::sort(answered.begin(), answered.end(),
            [&](auto a, auto b) { return what.calls[a].returned < what.calls[b].returned; });
  bool limited = false;
  const auto first = std::partition_point(answered.begin(), answered.end(), [&](std::size_t call) {
    const auto verdict =
        judge(until(what, what.calls[call].returned), model, consistency::linearizable, limits);
    limited = limited || verdict.consistent == answer::unknown;
    return verdict.consistent == answer::yes;
  });
  if (limited || first == answered.end()) return std::nullopt;
  return *first;
}

}  // namespace forkloom::checkers

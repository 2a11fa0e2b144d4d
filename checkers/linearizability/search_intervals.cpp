#include <algorithm>

#include "checkers/linearizability/configuration_set.hpp"
#include "checkers/linearizability/search.hpp"

namespace forkloom::checkers {
namespace {

constexpr std::size_t none = ~std::size_t{0};

// The invocations and responses in their order, as a list from which a call is lifted when it is
// given its place in the order, and put back when that led nowhere. Entry 0 is the list's head;
// entry 0 as `next` is its end. A pending call has no response in it.
class event_list {
 public:
  event_list(const history& what, std::span<const std::size_t> calls) : answers_(calls.size(), 0) {
    struct moment {
      std::uint64_t when;
      std::size_t call;
      bool answer;
    };
    std::vector<moment> moments;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const auto& c = what.calls[calls[i]];
      moments.push_back({c.invoked, i, false});
      if (!c.pending) moments.push_back({c.returned, i, true});
    }
    std::sort(moments.begin(), moments.end(),
              [](const moment& a, const moment& b) { return a.when < b.when; });
    entries_.resize(moments.size() + 1);
    for (std::size_t at = 1; at < entries_.size(); ++at) {
      const auto& m = moments[at - 1];
      entries_[at] = {.call = m.call, .answer = m.answer, .before = at - 1, .next = 0};
      entries_[at - 1].next = at;
      if (m.answer) answers_[m.call] = at;
    }
    entries_[0].before = entries_.size() - 1;
  }

  [[nodiscard]] std::size_t first() const { return entries_[0].next; }
  [[nodiscard]] std::size_t next(std::size_t at) const { return entries_[at].next; }
  [[nodiscard]] std::size_t call(std::size_t at) const { return entries_[at].call; }

  // From here on no call may come next: each was invoked after this response.
  [[nodiscard]] bool bars(std::size_t at) const { return at == 0 || entries_[at].answer; }

  [[nodiscard]] bool completes(std::size_t call) const { return answers_[call] != 0; }

  void lift(std::size_t at) {
    unlink(at);
    if (const auto response = answers_[entries_[at].call]; response != 0) unlink(response);
  }

  // In the reverse order of the lifts, so the neighbours are those of then.
  void put_back(std::size_t at) {
    if (const auto response = answers_[entries_[at].call]; response != 0) link(response);
    link(at);
  }

 private:
  struct entry {
    std::size_t call = none;
    bool answer = false;
    std::size_t before = 0;
    std::size_t next = 0;
  };

  void unlink(std::size_t at) {
    const auto& e = entries_[at];
    entries_[e.before].next = e.next;
    entries_[e.next].before = e.before;
  }
  void link(std::size_t at) {
    const auto& e = entries_[at];
    entries_[e.before].next = at;
    entries_[e.next].before = at;
  }

  std::vector<entry> entries_;
  std::vector<std::size_t> answers_;  // the response of each call; 0 if it is pending
};

}  // namespace

judgement search_intervals(const history& what, std::span<const std::size_t> calls,
                           sequential_model& model, const search_limits& limits) {
  struct decision {
    std::size_t entry;
    sequential_model::state before;
  };
  event_list list(what, calls);
  configuration_set seen(calls.size());
  call_set done(calls.size());
  std::vector<decision> order;
  auto state = model.initial();
  std::size_t waiting = 0;  // completed calls without a place
  for (std::size_t i = 0; i < calls.size(); ++i) waiting += list.completes(i) ? 1 : 0;

  judgement found;
  auto at = list.first();
  while (waiting > 0) {
    if (list.bars(at)) {
      if (order.empty()) {
        found.consistent = answer::no;
        break;
      }
      const auto [entry, before] = order.back();
      order.pop_back();
      state = before;
      done.erase(list.call(entry));
      waiting += list.completes(list.call(entry)) ? 1 : 0;
      list.put_back(entry);
      at = list.next(entry);
      continue;
    }
    const auto call = list.call(at);
    const auto after = model.after(state, what.calls[calls[call]]);
    done.insert(call);
    if (!after || !seen.insert(done, *after)) {
      done.erase(call);
      at = list.next(at);
      continue;
    }
    if (seen.size() > limits.configurations_max) {
      found.why = "the search has seen " + std::to_string(limits.configurations_max) +
                  " configurations without an answer";
      found.configurations = seen.size();
      return found;
    }
    order.push_back({at, state});
    state = *after;
    waiting -= list.completes(call) ? 1 : 0;
    list.lift(at);
    at = list.first();
  }
  found.configurations = seen.size();
  if (waiting > 0) return found;
  found.consistent = answer::yes;
  for (const auto& [entry, before] : order) found.order.push_back(calls[list.call(entry)]);
  return found;
}

}  // namespace forkloom::checkers

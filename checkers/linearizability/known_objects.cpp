#include "checkers/linearizability/known_objects.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "forkloom/state_table.hpp"

namespace forkloom::checkers {
namespace {

// All their states are sorted or ordered rows of numbers; a register's has one.
using numbers = std::vector<std::int64_t>;

// What the call answers, and what it leaves.
using step = std::pair<std::int64_t, numbers> (*)(numbers, const recorded_call&);

std::pair<std::int64_t, numbers> cell(numbers now, const recorded_call& c) {
  if (c.operation == calls::write) return {c.result, {c.argument}};
  return {now.front(), now};
}

std::pair<std::int64_t, numbers> set(numbers now, const recorded_call& c) {
  const auto place = std::lower_bound(now.begin(), now.end(), c.argument);
  const bool there = place != now.end() && *place == c.argument;
  if (c.operation == calls::look) return {there, now};
  const bool changes = there == (c.operation == calls::remove);
  if (changes && there) now.erase(place);
  if (changes && !there) now.insert(place, c.argument);
  return {changes, now};
}

// Where the next removal takes from: the front of a queue, the back of the others.
template <bool from_front, bool sorted>
std::pair<std::int64_t, numbers> collection(numbers now, const recorded_call& c) {
  if (c.operation == calls::insert) {
    now.insert(sorted ? std::upper_bound(now.begin(), now.end(), c.argument) : now.end(),
               c.argument);
    return {c.result, now};
  }
  if (now.empty()) return {nothing, now};
  const auto place = from_front ? now.begin() : std::prev(now.end());
  const auto value = *place;
  now.erase(place);
  return {value, now};
}

class known_model : public sequential_model {
 public:
  known_model(const numbers& first, step does) : first_(states_.number_of(first)), does_(does) {}

  state initial() override { return first_; }

  std::optional<state> after(state before, const recorded_call& call) override {
    const auto [result, left] = does_(states_[before], call);
    if (!call.pending && result != call.result) return std::nullopt;
    return states_.number_of(left);
  }

 private:
  state_table<numbers> states_;
  state first_;
  step does_;
};

}  // namespace

std::unique_ptr<sequential_model> model_of(known_object object) {
  switch (object) {
    case known_object::cell:
      return std::make_unique<known_model>(numbers{0}, cell);
    case known_object::set:
      return std::make_unique<known_model>(numbers{}, set);
    case known_object::queue:
      return std::make_unique<known_model>(numbers{}, collection<true, false>);
    case known_object::stack:
      return std::make_unique<known_model>(numbers{}, collection<false, false>);
    case known_object::priority_queue:
      return std::make_unique<known_model>(numbers{}, collection<false, true>);
  }
  throw std::invalid_argument("no known object");
}

std::optional<bool> judge_distinct(known_object object, const history& what) {
  switch (object) {
    case known_object::cell:
      return judge_distinct_register(what);
    case known_object::set:
      return judge_distinct_set(what);
    case known_object::queue:
      return judge_distinct_queue(what);
    case known_object::priority_queue:
      return judge_distinct_priority_queue(what);
    case known_object::stack:
      return judge_distinct_stack(what);
  }
  throw std::invalid_argument("no known object");
}

judgement judge_known(known_object object, const history& what, const search_limits& limits) {
  const auto model = model_of(object);
  std::map<std::uint64_t, history> keys;
  for (const auto& c : what.calls) keys[c.key].calls.push_back(c);
  bool yes = true;
  for (const auto& [key, calls] : keys) {
    const auto fast = judge_distinct(object, calls);
    if (!fast) return judge(what, *model, consistency::linearizable, limits);
    yes = yes && *fast;
  }
  return {.consistent = yes ? answer::yes : answer::no};
}

}  // namespace forkloom::checkers

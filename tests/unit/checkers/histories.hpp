// Histories written by hand, and histories made from random steps.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "checkers/linearizability/known_objects.hpp"

namespace forkloom::testing {

// Positions follow the order in which the builder is called. begin() and end() are for calls that
// overlap, does() for one that nothing interrupts.
class history_builder {
 public:
  std::size_t begin(unsigned process, std::uint32_t operation, std::int64_t argument = 0,
                    std::uint64_t key = 0) {
    made_.calls.push_back({.process = process,
                           .invoked = ++clock_,
                           .pending = true,
                           .operation = operation,
                           .argument = argument,
                           .key = key});
    return made_.calls.size() - 1;
  }
  void end(std::size_t call, std::int64_t result = 0) {
    auto& c = made_.calls.at(call);
    c.returned = ++clock_;
    c.pending = false;
    c.result = result;
  }
  std::size_t does(unsigned process, std::uint32_t operation, std::int64_t argument,
                   std::int64_t result, std::uint64_t key = 0) {
    const auto call = begin(process, operation, argument, key);
    end(call, result);
    return call;
  }
  [[nodiscard]] const history& done() const { return made_; }

 private:
  history made_;
  std::uint64_t clock_ = 0;
};

// One step of a process: its next call is invoked; or takes effect on the model; or returns. A lie
// returns another result than the model gave.
struct random_step {
  unsigned process = 0;
  unsigned choice = 0;
  unsigned value = 0;
  bool lie = false;
};

// Processes that go step by step on a model that is right. What has not returned is pending. If
// `distinct`, no value is inserted twice.
inline history play(checkers::known_object object, const std::vector<random_step>& steps,
                    bool distinct) {
  using checkers::known_object;
  namespace calls = checkers::calls;
  struct lane {
    std::optional<std::size_t> call;
    std::optional<std::int64_t> result;
  };
  const auto model = checkers::model_of(object);
  auto state = model->initial();
  std::array<lane, 4> lanes;
  history_builder b;
  unsigned inserted = 0;
  // A fixed shuffle of 1 … 96, so that the order of insertion is not the order of the values.
  const auto fresh = [&] { return static_cast<std::int64_t>(++inserted * 35 % 97); };
  const auto known = [&](unsigned value) {
    return static_cast<std::int64_t>(value % (inserted + 1) * 35 % 97);
  };
  const auto possible = [&](const recorded_call& c, unsigned value) {
    if (c.operation == calls::insert && object != known_object::set) return std::int64_t{0};
    if (object == known_object::set) return static_cast<std::int64_t>(value % 2);
    if (object == known_object::cell || value % 4 != 0) return known(value);
    return checkers::nothing;
  };
  for (const auto& s : steps) {
    auto& [call, result] = lanes.at(s.process % lanes.size());
    if (!call) {
      auto operation = s.choice % 3;
      if (object == known_object::cell && operation == calls::remove) operation = calls::read;
      if (object != known_object::cell && object != known_object::set) operation = s.choice % 2;
      const auto argument = operation == calls::insert
                                ? (distinct ? fresh() : static_cast<std::int64_t>(s.value % 3))
                                : known(s.value);
      call = b.begin(s.process % lanes.size(), operation, argument);
    } else if (!result) {
      // The result that the model gives is the one that it does not refuse.
      auto c = b.done().calls[*call];
      c.pending = false;
      for (std::int64_t tried = -1; !result && tried < 100; ++tried) {
        c.result = tried < 0 ? checkers::nothing : tried;
        if (const auto after = model->after(state, c)) {
          result = c.result;
          state = *after;
        }
      }
      if (c.operation == calls::insert && object != known_object::set) result = 0;
    } else {
      b.end(*call, s.lie ? possible(b.done().calls[*call], s.value) : *result);
      call.reset();
      result.reset();
    }
  }
  return b.done();
}

// Tries all orders of all calls, with every choice of pending ones. For a handful of calls.
inline bool explained_by_some_order(const history& what, sequential_model& model,
                                    const std::vector<std::size_t>& placed = {}) {
  auto state = model.initial();
  for (const auto i : placed) {
    const auto after = model.after(state, what.calls[i]);
    if (!after) return false;
    state = *after;
  }
  const auto is_placed = [&](std::size_t i) {
    return std::find(placed.begin(), placed.end(), i) != placed.end();
  };
  bool complete = true;
  for (std::size_t i = 0; i < what.calls.size(); ++i)
    complete = complete && (what.calls[i].pending || is_placed(i));
  if (complete) return true;
  for (std::size_t i = 0; i < what.calls.size(); ++i) {
    if (is_placed(i)) continue;
    bool first = true;  // nothing that is not placed returned before this was invoked
    for (std::size_t j = 0; j < what.calls.size(); ++j)
      first = first && (is_placed(j) || what.calls[j].pending ||
                        what.calls[j].returned > what.calls[i].invoked);
    auto longer = placed;
    longer.push_back(i);
    if (first && explained_by_some_order(what, model, longer)) return true;
  }
  return false;
}

}  // namespace forkloom::testing

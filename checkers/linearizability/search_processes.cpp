#include <algorithm>
#include <map>

#include "checkers/linearizability/configuration_set.hpp"
#include "checkers/linearizability/search.hpp"

namespace forkloom::checkers {
namespace {

class search {
 public:
  search(const history& what, std::span<const std::size_t> calls, sequential_model& model,
         const search_limits& limits)
      : what_(what),
        calls_(calls),
        model_(model),
        limits_(limits),
        seen_(calls.size()),
        done_(calls.size()) {
    std::map<unsigned, std::vector<std::size_t>> by_process;
    for (std::size_t i = 0; i < calls.size(); ++i) by_process[call(i).process].push_back(i);
    for (auto& [process, own] : by_process) {
      std::sort(own.begin(), own.end(),
                [&](auto a, auto b) { return call(a).invoked < call(b).invoked; });
      lanes_.push_back({std::move(own), 0});
    }
    for (std::size_t i = 0; i < calls.size(); ++i) waiting_ += call(i).pending ? 0 : 1;
  }

  judgement run() {
    struct decision {
      std::size_t lane;
      sequential_model::state before;
    };
    judgement found;
    std::vector<decision> order;
    auto state = model_.initial();
    std::size_t lane = 0;
    while (waiting_ > 0) {
      if (lane == lanes_.size()) {
        if (order.empty()) break;
        lane = order.back().lane;
        state = order.back().before;
        order.pop_back();
        take_back(lane);
        ++lane;
        continue;
      }
      const auto after = step(lane, state);
      if (!after) {
        ++lane;
        continue;
      }
      if (seen_.size() > limits_.configurations_max) {
        found.configurations = seen_.size();
        found.why = "the search has seen " + std::to_string(limits_.configurations_max) +
                    " configurations without an answer";
        return found;
      }
      order.push_back({lane, state});
      state = *after;
      lane = 0;
    }
    found.configurations = seen_.size();
    found.consistent = waiting_ == 0 ? answer::yes : answer::no;
    if (waiting_ > 0) return found;
    std::vector<std::size_t> next(lanes_.size(), 0);
    for (const auto& [taken, before] : order)
      found.order.push_back(calls_[lanes_[taken].own[next[taken]++]]);
    return found;
  }

 private:
  struct process_lane {
    std::vector<std::size_t> own;
    std::size_t next;
  };

  [[nodiscard]] const recorded_call& call(std::size_t i) const { return what_.calls[calls_[i]]; }

  // Takes the lane's next call, if its result fits and this is a new configuration.
  std::optional<sequential_model::state> step(std::size_t lane, sequential_model::state state) {
    auto& [own, next] = lanes_[lane];
    if (next == own.size()) return std::nullopt;
    const auto i = own[next];
    const auto after = model_.after(state, call(i));
    if (!after) return std::nullopt;
    done_.insert(i);
    if (!seen_.insert(done_, *after)) {
      done_.erase(i);
      return std::nullopt;
    }
    ++next;
    waiting_ -= call(i).pending ? 0 : 1;
    return after;
  }

  void take_back(std::size_t lane) {
    auto& [own, next] = lanes_[lane];
    const auto i = own[--next];
    done_.erase(i);
    waiting_ += call(i).pending ? 0 : 1;
  }

  const history& what_;
  std::span<const std::size_t> calls_;
  sequential_model& model_;
  const search_limits& limits_;
  configuration_set seen_;
  call_set done_;
  std::vector<process_lane> lanes_;
  std::size_t waiting_ = 0;  // completed calls without a place
};

}  // namespace

judgement search_processes(const history& what, std::span<const std::size_t> calls,
                           sequential_model& model, const search_limits& limits) {
  return search(what, calls, model, limits).run();
}

}  // namespace forkloom::checkers

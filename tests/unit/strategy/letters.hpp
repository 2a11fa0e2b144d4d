// A transition system made by hand, for strategies to walk through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/strategy/choice.hpp"

namespace forkloom::testing {

// A hand-made program: each task is a word, and each letter of it an operation on the variable of
// that name. Two operations conflict if the letters are the same.
struct letters {
  std::vector<std::string> words;
  std::vector<std::size_t> done = std::vector<std::size_t>(words.size(), 0);

  [[nodiscard]] char next(task_id task) const { return words[index(task)][done[index(task)]]; }

  static bool conflict(const void* context, task_id one, task_id other) noexcept {
    const auto& p = *static_cast<const letters*>(context);
    return p.next(one) == p.next(other);
  }

  static std::uint32_t about(const void* context, task_id task) noexcept {
    return static_cast<std::uint32_t>(static_cast<const letters*>(context)->next(task));
  }

  // The order in which the tasks' steps on `variable` were done; on all of them, if it is '*'.
  template <class Strategy>
  std::string run(Strategy& strategy, char variable) {
    execution::task_set left;
    for (std::size_t i = 0; i < words.size(); ++i) left.insert(task_id(i));
    task_id current = no_task;
    std::string order;
    while (!left.empty()) {
      current = strategy.pick({left, current, false, {conflict, this}, {about, this}});
      if (variable == '*' || next(current) == variable) order += std::to_string(index(current));
      if (++done[index(current)] == words[index(current)].size()) left.erase(current);
    }
    return order;
  }
};

}  // namespace forkloom::testing

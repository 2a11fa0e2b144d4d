// Numbers for the states of a model: equal states have equal numbers.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <type_traits>
#include <unordered_map>

namespace forkloom {

// States can be told apart. `bool operator==(const M&) const = default;` is mostly all it takes.
template <class State>
concept comparable_state = std::copy_constructible<State> && std::equality_comparable<State>;

namespace detail {

template <class State>
concept hashable_state = requires(const State& state) {
  { std::hash<State>{}(state) } -> std::convertible_to<std::size_t>;
};

}  // namespace detail

// Looks a state up by its hash if std::hash knows it, else by operator< if there is one, else one
// by one, which is slow beyond some hundred states.
template <comparable_state State>
class state_table {
 public:
  [[nodiscard]] std::uint32_t number_of(const State& state) {
    const auto next = static_cast<std::uint32_t>(states_.size());
    if constexpr (detail::hashable_state<State> || std::totally_ordered<State>) {
      const auto [place, fresh] = numbers_.try_emplace(state, next);
      if (fresh) states_.push_back(state);
      return place->second;
    } else {
      const auto place = std::find(states_.begin(), states_.end(), state);
      const auto found = static_cast<std::uint32_t>(place - states_.begin());
      if (found == next) states_.push_back(state);
      return found;
    }
  }

  [[nodiscard]] const State& operator[](std::uint32_t number) const { return states_[number]; }

 private:
  struct nothing {};
  template <class S>
  static auto index_for() {
    if constexpr (detail::hashable_state<S>)
      return std::type_identity<std::unordered_map<S, std::uint32_t>>{};
    else if constexpr (std::totally_ordered<S>)
      return std::type_identity<std::map<S, std::uint32_t>>{};
    else
      return std::type_identity<nothing>{};
  }

  typename decltype(index_for<State>())::type numbers_;
  std::deque<State> states_;
};

}  // namespace forkloom

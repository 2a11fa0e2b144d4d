// Expectations: what must hold, in process bodies and in finally.
#pragma once

#include <concepts>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include "forkloom/shared.hpp"
#include "forkloom/source_place.hpp"

namespace forkloom {

namespace detail {

template <class T>
concept printable = requires(std::ostream& out, const T& value) {
  out << value;
};

template <class T>
std::string show(const T& value) {
  if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (printable<T>) {
    std::ostringstream out;
    out << value;
    return out.str();
  } else {
    return "(no operator<<)";
  }
}

// An expectation did not hold: records it and, in a task, does not return.
void unmet(std::string_view values, source_place where);

template <class T>
const T& value_of(const T& plain) {
  return plain;
}
template <class T>
T value_of(const shared<T>& variable) {
  return variable.load();
}

template <class T>
using value_type = std::remove_cvref_t<decltype(value_of(std::declval<const T&>()))>;

template <class T>
struct is_shared : std::false_type {};
template <class T>
struct is_shared<shared<T>> : std::true_type {};

}  // namespace detail

// A comparison that remembers its values. Made by `that(x) == 3`, or with a shared<T> by `x == 3`.
// It is a bool wherever one is wanted.
template <class Left, class Right>
struct comparison {
  bool holds;
  Left left;
  Right right;
  const char* relation;

  operator bool() const noexcept { return holds; }  // NOLINT: it stands for its truth
};

// States that something holds. If it does not, that is a violation of the kind `expectation` with
// the place, the values and the task. In a process the execution ends there and the call does not
// return; in the scenario itself and in finally it is recorded and the call returns.
inline void expect(bool holds, source_place where = source_place::here()) {
  if (!holds) detail::unmet("", where);
}

template <class Left, class Right>
void expect(const comparison<Left, Right>& what, source_place where = source_place::here()) {
  if (!what.holds)
    detail::unmet(detail::show(what.left) + " " + what.relation + " " + detail::show(what.right),
                  where);
}

// A value whose comparisons remember both sides. Reads a shared<T> once.
template <class T>
class that {
 public:
  explicit that(const T& value) : value_(detail::value_of(value)) {}

  template <class Right>
  friend auto operator==(const that& left, const Right& right) {
    return left.with(right, "==", [](const auto& a, const auto& b) { return a == b; });
  }
  template <class Right>
  friend auto operator!=(const that& left, const Right& right) {
    return left.with(right, "!=", [](const auto& a, const auto& b) { return a != b; });
  }
  template <class Right>
  friend auto operator<(const that& left, const Right& right) {
    return left.with(right, "<", [](const auto& a, const auto& b) { return a < b; });
  }
  template <class Right>
  friend auto operator<=(const that& left, const Right& right) {
    return left.with(right, "<=", [](const auto& a, const auto& b) { return a <= b; });
  }
  template <class Right>
  friend auto operator>(const that& left, const Right& right) {
    return left.with(right, ">", [](const auto& a, const auto& b) { return a > b; });
  }
  template <class Right>
  friend auto operator>=(const that& left, const Right& right) {
    return left.with(right, ">=", [](const auto& a, const auto& b) { return a >= b; });
  }

 private:
  template <class Right, class Relation>
  auto with(const Right& right, const char* name, Relation holds) const {
    using left_type = detail::value_type<T>;
    using right_type = detail::value_type<Right>;
    const right_type& r = detail::value_of(right);
    return comparison<left_type, right_type>{holds(value_, r), value_, r, name};
  }

  detail::value_type<T> value_;
};

// Comparisons of a shared<T> with a plain value remember, so `expect(account == 160)` can tell.
template <class T, class Right>
requires(!detail::is_shared<Right>::value) auto operator==(const shared<T>& left,
                                                           const Right& right) {
  return that(left) == right;
}
template <class T, class Right>
requires(!detail::is_shared<Right>::value) auto operator!=(const shared<T>& left,
                                                           const Right& right) {
  return that(left) != right;
}
template <class T, class Right>
requires(!detail::is_shared<Right>::value) auto operator<(const shared<T>& left,
                                                          const Right& right) {
  return that(left) < right;
}
template <class T, class Right>
requires(!detail::is_shared<Right>::value) auto operator<=(const shared<T>& left,
                                                           const Right& right) {
  return that(left) <= right;
}
template <class T, class Right>
requires(!detail::is_shared<Right>::value) auto operator>(const shared<T>& left,
                                                          const Right& right) {
  return that(left) > right;
}
template <class T, class Right>
requires(!detail::is_shared<Right>::value) auto operator>=(const shared<T>& left,
                                                           const Right& right) {
  return that(left) >= right;
}

}  // namespace forkloom

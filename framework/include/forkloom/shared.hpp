// A value in shared memory whose every load and store is an operation that Forkloom schedules.
#pragma once

#include <cstdint>
#include <type_traits>

#include "forkloom/memory.hpp"

namespace forkloom {

// Made by scenario::shared<T>(name, initial). Looks like a plain variable and is as unprotected as
// one: `x = x + 1` is a load, then a store, and another process may come in between. The atomic
// forms (fetch_add, exchange, compare_exchange) are one operation each.
//
// T must be trivially copyable. Process-safety: all members may be called by any task.
template <class T>
class shared {
  static_assert(std::is_trivially_copyable_v<T>, "what processes share must be plain bytes");

 public:
  using value_type = T;

  explicit shared(const T& initial = T{}) noexcept : value_(initial) {}
  shared(const shared&) = delete;

  // One load.
  [[nodiscard]] T load() const noexcept {
    memory::before_load(&value_);
    const T got = value_;
    memory::after_load(&value_, digest(got));
    return got;
  }

  // One store.
  void store(const T& value) noexcept {
    memory::before_store(&value_);
    const T old = value_;
    value_ = value;
    memory::after_store(&value_, digest(old), digest(value));
  }

  operator T() const noexcept { return load(); }  // NOLINT: it stands for its value
  shared& operator=(const T& value) noexcept {
    store(value);
    return *this;
  }
  shared& operator=(const shared& other) noexcept {  // NOLINT: a load, then a store
    store(other.load());
    return *this;
  }

  // A load, then a store: not atomic, as with a plain variable.
  shared& operator+=(const T& by) noexcept { return *this = static_cast<T>(load() + by); }
  shared& operator-=(const T& by) noexcept { return *this = static_cast<T>(load() - by); }
  shared& operator++() noexcept { return *this += T{1}; }
  shared& operator--() noexcept { return *this -= T{1}; }
  T operator++(int) noexcept {
    const T old = load();
    store(static_cast<T>(old + T{1}));
    return old;
  }
  T operator--(int) noexcept {
    const T old = load();
    store(static_cast<T>(old - T{1}));
    return old;
  }

  // Atomic: one operation. Each returns the value replaced.
  T exchange(const T& value) noexcept {
    return modify([&](const T&) { return value; });
  }
  T fetch_add(const T& by) noexcept {
    return modify([&](const T& old) { return static_cast<T>(old + by); });
  }
  T fetch_sub(const T& by) noexcept {
    return modify([&](const T& old) { return static_cast<T>(old - by); });
  }

  // Atomic. Stores `desired` if the value equals `expected` and says true; otherwise loads the
  // value into `expected` and says false.
  bool compare_exchange(T& expected, const T& desired) noexcept {
    const T wanted = expected;
    expected = modify([&](const T& old) { return old == wanted ? desired : old; });
    return expected == wanted;
  }

 private:
  static std::uint64_t digest(const T& value) noexcept {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    else
      return memory::digest(&value, sizeof value);
  }

  template <class Change>
  T modify(Change change) noexcept {
    memory::before_modify(&value_);
    const T old = value_;
    const T now = change(old);
    value_ = now;
    memory::after_modify(&value_, digest(old), digest(now));
    return old;
  }

  T value_;
};

}  // namespace forkloom

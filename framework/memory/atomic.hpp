// Atomic operations as the callbacks of atomics.cpp make them: really atomic in any case, and an
// operation of the task where the place is watched. Async-signal-safe.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "framework/execution/identity.hpp"
#include "framework/memory/access.hpp"

namespace forkloom::memory {

__extension__ using uint128 = unsigned __int128;

// The order of a success and of a failure.
struct exchange_orders {
  int success;
  int failure;
};

// A new value made of the old one.
template <class T>
[[nodiscard]] auto exchanged(T v) noexcept {
  return [v](T) { return v; };
}
template <class T>
[[nodiscard]] auto added(T v) noexcept {
  return [v](T old) { return static_cast<T>(old + v); };
}
template <class T>
[[nodiscard]] auto subtracted(T v) noexcept {
  return [v](T old) { return static_cast<T>(old - v); };
}
template <class T>
[[nodiscard]] auto anded(T v) noexcept {
  return [v](T old) { return static_cast<T>(old & v); };
}
template <class T>
[[nodiscard]] auto ored(T v) noexcept {
  return [v](T old) { return static_cast<T>(old | v); };
}
template <class T>
[[nodiscard]] auto xored(T v) noexcept {
  return [v](T old) { return static_cast<T>(old ^ v); };
}
template <class T>
[[nodiscard]] auto nanded(T v) noexcept {
  return [v](T old) { return static_cast<T>(~(old & v)); };
}

// The old form of the built-in function is the one that needs no library for sixteen bytes.
template <class T>
T compare_and_swap(volatile T* place, T expected, T desired) noexcept {
  return __sync_val_compare_and_swap(place, expected, desired);
}

// Sixteen bytes cannot be loaded but by an exchange that changes nothing. That writes, so a mapping
// that may only be read refuses it, as it refuses libatomic's.
template <class T>
T real_load(const volatile T* place) noexcept {
  if constexpr (sizeof(T) <= sizeof(std::uint64_t))
    return __atomic_load_n(place, __ATOMIC_SEQ_CST);
  else
    return compare_and_swap(const_cast<volatile T*>(place), T{0}, T{0});  // NOLINT
}

template <class T, class Change>
T real_modify(volatile T* place, Change change) noexcept {
  auto old = real_load(place);
  for (;;) {
    const auto seen = compare_and_swap(place, old, change(old));
    if (seen == old) return old;
    old = seen;
  }
}

template <class T>
[[nodiscard]] std::uint64_t digest_of(const T& value) noexcept {
  return execution::digest(&value, sizeof value);
}

// The compilers pass C's numbers; the flags that they may add above are hints to the processor.
template <class T>
[[nodiscard]] std::int64_t atomic(int order) noexcept {
  return number_of({.how = memory_access::sort::atomic,
                    .order = static_cast<access_order>(order & 7),
                    .size = sizeof(T)});
}

template <class T>
[[nodiscard]] controlled_call point(operation op, const volatile T* place,
                                    const void* site) noexcept {
  const auto* address = const_cast<const T*>(place);  // NOLINT: only looked at
  return {op, execution::resource_at(address, resource_kind::memory), site};
}

template <class T>
[[nodiscard]] bool watched(const volatile T* place) noexcept {
  return watched(static_cast<const void*>(const_cast<const T*>(place)));  // NOLINT
}

template <class T>
T load(const volatile T* place, int order, const void* site) noexcept {
  if (!watched(place)) return real_load(place);
  auto call = point(operation::load, place, site);
  const auto value = real_load(place);
  call.completed(atomic<T>(order), digest_of(value), digest_of(value));
  return value;
}

template <class T>
void store(volatile T* place, T value, int order, const void* site) noexcept {
  if (!watched(place)) {
    real_modify(place, exchanged(value));
    return;
  }
  auto call = point(operation::store, place, site);
  const auto old = real_modify(place, exchanged(value));
  call.completed(atomic<T>(order), digest_of(old), digest_of(value));
}

template <class T, class Change>
T modify(volatile T* place, int order, const void* site, Change change) noexcept {
  if (!watched(place)) return real_modify(place, change);
  auto call = point(operation::modify, place, site);
  const auto old = real_modify(place, change);
  call.completed(atomic<T>(order), digest_of(old), digest_of(static_cast<T>(change(old))));
  return old;
}

// One that finds another value than it expects is a load, and is told as one. The weak forms may
// fail for no reason on other processors; here they do not.
template <class T>
bool compare_exchange(volatile T* place, T* expected, T desired, exchange_orders orders,
                      const void* site) noexcept {
  const auto wanted = *expected;
  if (!watched(place)) {
    *expected = compare_and_swap(place, wanted, desired);
    return *expected == wanted;
  }
  auto call = point(operation::modify, place, site);
  const auto seen = compare_and_swap(place, wanted, desired);
  *expected = seen;
  if (seen == wanted) {
    call.completed(atomic<T>(orders.success), digest_of(seen), digest_of(desired));
    return true;
  }
  controlled_call::silent(operation::load, call.resource(), site)
      .completed(atomic<T>(orders.failure), digest_of(seen), digest_of(seen));
  return false;
}

// No scheduling point: nobody can notice a fence but through the accesses around it.
inline void fence(int order, const void* site) noexcept {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!execution::controlled()) return;
  const memory_access how{.how = memory_access::sort::atomic,
                          .order = static_cast<access_order>(order & 7)};
  controlled_call::silent(operation::fence, no_resource, site).completed(number_of(how));
}

}  // namespace forkloom::memory

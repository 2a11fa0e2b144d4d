// The callbacks of -fsanitize=thread for atomics: unlike plain accesses, these make the access. All
// are made sequentially consistent, as an execution is; the memory order that the program asked for
// goes into the event, and decides what happens before what.
//
// The compiler knows each of them by a name of C's, and a template cannot have one. So the shape is
// written out for each width; what it does is written once, in atomic.hpp.
#include <cstdint>

#include "framework/memory/atomic.hpp"

using namespace forkloom::memory;  // NOLINT: the definitions below cannot be in a namespace

// NOLINTBEGIN: the compiler gives them their names
extern "C" {

std::uint8_t __tsan_atomic8_load(const volatile std::uint8_t* p, int order) {
  return load(p, order, __builtin_return_address(0));
}
void __tsan_atomic8_store(volatile std::uint8_t* p, std::uint8_t v, int order) {
  store(p, v, order, __builtin_return_address(0));
}
std::uint8_t __tsan_atomic8_exchange(volatile std::uint8_t* p, std::uint8_t v, int order) {
  return modify(p, order, __builtin_return_address(0), exchanged(v));
}
std::uint8_t __tsan_atomic8_fetch_add(volatile std::uint8_t* p, std::uint8_t v, int order) {
  return modify(p, order, __builtin_return_address(0), added(v));
}
std::uint8_t __tsan_atomic8_fetch_sub(volatile std::uint8_t* p, std::uint8_t v, int order) {
  return modify(p, order, __builtin_return_address(0), subtracted(v));
}
std::uint8_t __tsan_atomic8_fetch_and(volatile std::uint8_t* p, std::uint8_t v, int order) {
  return modify(p, order, __builtin_return_address(0), anded(v));
}
std::uint8_t __tsan_atomic8_fetch_or(volatile std::uint8_t* p, std::uint8_t v, int order) {
  return modify(p, order, __builtin_return_address(0), ored(v));
}
std::uint8_t __tsan_atomic8_fetch_xor(volatile std::uint8_t* p, std::uint8_t v, int order) {
  return modify(p, order, __builtin_return_address(0), xored(v));
}
std::uint8_t __tsan_atomic8_fetch_nand(volatile std::uint8_t* p, std::uint8_t v, int order) {
  return modify(p, order, __builtin_return_address(0), nanded(v));
}
int __tsan_atomic8_compare_exchange_strong(volatile std::uint8_t* p, std::uint8_t* expected,
                                           std::uint8_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
int __tsan_atomic8_compare_exchange_weak(volatile std::uint8_t* p, std::uint8_t* expected,
                                         std::uint8_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
std::uint8_t __tsan_atomic8_compare_exchange_val(volatile std::uint8_t* p, std::uint8_t expected,
                                                 std::uint8_t v, int order, int failed) {
  compare_exchange(p, &expected, v, {order, failed}, __builtin_return_address(0));
  return expected;
}

std::uint16_t __tsan_atomic16_load(const volatile std::uint16_t* p, int order) {
  return load(p, order, __builtin_return_address(0));
}
void __tsan_atomic16_store(volatile std::uint16_t* p, std::uint16_t v, int order) {
  store(p, v, order, __builtin_return_address(0));
}
std::uint16_t __tsan_atomic16_exchange(volatile std::uint16_t* p, std::uint16_t v, int order) {
  return modify(p, order, __builtin_return_address(0), exchanged(v));
}
std::uint16_t __tsan_atomic16_fetch_add(volatile std::uint16_t* p, std::uint16_t v, int order) {
  return modify(p, order, __builtin_return_address(0), added(v));
}
std::uint16_t __tsan_atomic16_fetch_sub(volatile std::uint16_t* p, std::uint16_t v, int order) {
  return modify(p, order, __builtin_return_address(0), subtracted(v));
}
std::uint16_t __tsan_atomic16_fetch_and(volatile std::uint16_t* p, std::uint16_t v, int order) {
  return modify(p, order, __builtin_return_address(0), anded(v));
}
std::uint16_t __tsan_atomic16_fetch_or(volatile std::uint16_t* p, std::uint16_t v, int order) {
  return modify(p, order, __builtin_return_address(0), ored(v));
}
std::uint16_t __tsan_atomic16_fetch_xor(volatile std::uint16_t* p, std::uint16_t v, int order) {
  return modify(p, order, __builtin_return_address(0), xored(v));
}
std::uint16_t __tsan_atomic16_fetch_nand(volatile std::uint16_t* p, std::uint16_t v, int order) {
  return modify(p, order, __builtin_return_address(0), nanded(v));
}
int __tsan_atomic16_compare_exchange_strong(volatile std::uint16_t* p, std::uint16_t* expected,
                                            std::uint16_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
int __tsan_atomic16_compare_exchange_weak(volatile std::uint16_t* p, std::uint16_t* expected,
                                          std::uint16_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
std::uint16_t __tsan_atomic16_compare_exchange_val(volatile std::uint16_t* p,
                                                   std::uint16_t expected, std::uint16_t v,
                                                   int order, int failed) {
  compare_exchange(p, &expected, v, {order, failed}, __builtin_return_address(0));
  return expected;
}

std::uint32_t __tsan_atomic32_load(const volatile std::uint32_t* p, int order) {
  return load(p, order, __builtin_return_address(0));
}
void __tsan_atomic32_store(volatile std::uint32_t* p, std::uint32_t v, int order) {
  store(p, v, order, __builtin_return_address(0));
}
std::uint32_t __tsan_atomic32_exchange(volatile std::uint32_t* p, std::uint32_t v, int order) {
  return modify(p, order, __builtin_return_address(0), exchanged(v));
}
std::uint32_t __tsan_atomic32_fetch_add(volatile std::uint32_t* p, std::uint32_t v, int order) {
  return modify(p, order, __builtin_return_address(0), added(v));
}
std::uint32_t __tsan_atomic32_fetch_sub(volatile std::uint32_t* p, std::uint32_t v, int order) {
  return modify(p, order, __builtin_return_address(0), subtracted(v));
}
std::uint32_t __tsan_atomic32_fetch_and(volatile std::uint32_t* p, std::uint32_t v, int order) {
  return modify(p, order, __builtin_return_address(0), anded(v));
}
std::uint32_t __tsan_atomic32_fetch_or(volatile std::uint32_t* p, std::uint32_t v, int order) {
  return modify(p, order, __builtin_return_address(0), ored(v));
}
std::uint32_t __tsan_atomic32_fetch_xor(volatile std::uint32_t* p, std::uint32_t v, int order) {
  return modify(p, order, __builtin_return_address(0), xored(v));
}
std::uint32_t __tsan_atomic32_fetch_nand(volatile std::uint32_t* p, std::uint32_t v, int order) {
  return modify(p, order, __builtin_return_address(0), nanded(v));
}
int __tsan_atomic32_compare_exchange_strong(volatile std::uint32_t* p, std::uint32_t* expected,
                                            std::uint32_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
int __tsan_atomic32_compare_exchange_weak(volatile std::uint32_t* p, std::uint32_t* expected,
                                          std::uint32_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
std::uint32_t __tsan_atomic32_compare_exchange_val(volatile std::uint32_t* p,
                                                   std::uint32_t expected, std::uint32_t v,
                                                   int order, int failed) {
  compare_exchange(p, &expected, v, {order, failed}, __builtin_return_address(0));
  return expected;
}

std::uint64_t __tsan_atomic64_load(const volatile std::uint64_t* p, int order) {
  return load(p, order, __builtin_return_address(0));
}
void __tsan_atomic64_store(volatile std::uint64_t* p, std::uint64_t v, int order) {
  store(p, v, order, __builtin_return_address(0));
}
std::uint64_t __tsan_atomic64_exchange(volatile std::uint64_t* p, std::uint64_t v, int order) {
  return modify(p, order, __builtin_return_address(0), exchanged(v));
}
std::uint64_t __tsan_atomic64_fetch_add(volatile std::uint64_t* p, std::uint64_t v, int order) {
  return modify(p, order, __builtin_return_address(0), added(v));
}
std::uint64_t __tsan_atomic64_fetch_sub(volatile std::uint64_t* p, std::uint64_t v, int order) {
  return modify(p, order, __builtin_return_address(0), subtracted(v));
}
std::uint64_t __tsan_atomic64_fetch_and(volatile std::uint64_t* p, std::uint64_t v, int order) {
  return modify(p, order, __builtin_return_address(0), anded(v));
}
std::uint64_t __tsan_atomic64_fetch_or(volatile std::uint64_t* p, std::uint64_t v, int order) {
  return modify(p, order, __builtin_return_address(0), ored(v));
}
std::uint64_t __tsan_atomic64_fetch_xor(volatile std::uint64_t* p, std::uint64_t v, int order) {
  return modify(p, order, __builtin_return_address(0), xored(v));
}
std::uint64_t __tsan_atomic64_fetch_nand(volatile std::uint64_t* p, std::uint64_t v, int order) {
  return modify(p, order, __builtin_return_address(0), nanded(v));
}
int __tsan_atomic64_compare_exchange_strong(volatile std::uint64_t* p, std::uint64_t* expected,
                                            std::uint64_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
int __tsan_atomic64_compare_exchange_weak(volatile std::uint64_t* p, std::uint64_t* expected,
                                          std::uint64_t v, int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
std::uint64_t __tsan_atomic64_compare_exchange_val(volatile std::uint64_t* p,
                                                   std::uint64_t expected, std::uint64_t v,
                                                   int order, int failed) {
  compare_exchange(p, &expected, v, {order, failed}, __builtin_return_address(0));
  return expected;
}

uint128 __tsan_atomic128_load(const volatile uint128* p, int order) {
  return load(p, order, __builtin_return_address(0));
}
void __tsan_atomic128_store(volatile uint128* p, uint128 v, int order) {
  store(p, v, order, __builtin_return_address(0));
}
uint128 __tsan_atomic128_exchange(volatile uint128* p, uint128 v, int order) {
  return modify(p, order, __builtin_return_address(0), exchanged(v));
}
uint128 __tsan_atomic128_fetch_add(volatile uint128* p, uint128 v, int order) {
  return modify(p, order, __builtin_return_address(0), added(v));
}
uint128 __tsan_atomic128_fetch_sub(volatile uint128* p, uint128 v, int order) {
  return modify(p, order, __builtin_return_address(0), subtracted(v));
}
uint128 __tsan_atomic128_fetch_and(volatile uint128* p, uint128 v, int order) {
  return modify(p, order, __builtin_return_address(0), anded(v));
}
uint128 __tsan_atomic128_fetch_or(volatile uint128* p, uint128 v, int order) {
  return modify(p, order, __builtin_return_address(0), ored(v));
}
uint128 __tsan_atomic128_fetch_xor(volatile uint128* p, uint128 v, int order) {
  return modify(p, order, __builtin_return_address(0), xored(v));
}
uint128 __tsan_atomic128_fetch_nand(volatile uint128* p, uint128 v, int order) {
  return modify(p, order, __builtin_return_address(0), nanded(v));
}
int __tsan_atomic128_compare_exchange_strong(volatile uint128* p, uint128* expected, uint128 v,
                                             int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
int __tsan_atomic128_compare_exchange_weak(volatile uint128* p, uint128* expected, uint128 v,
                                           int order, int failed) {
  return compare_exchange(p, expected, v, {order, failed}, __builtin_return_address(0));
}
uint128 __tsan_atomic128_compare_exchange_val(volatile uint128* p, uint128 expected, uint128 v,
                                              int order, int failed) {
  compare_exchange(p, &expected, v, {order, failed}, __builtin_return_address(0));
  return expected;
}

void __tsan_atomic_thread_fence(int order) { fence(order, __builtin_return_address(0)); }

// Orders a thread and its own signal handlers: nothing that another task could notice.
void __tsan_atomic_signal_fence(int) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

}  // extern "C"
// NOLINTEND

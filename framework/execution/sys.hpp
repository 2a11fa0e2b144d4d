// System calls made directly, past libc: they cannot be intercepted by ourselves, do not touch
// errno, and are async-signal-safe. Each returns what the kernel returns: a negative errno on
// failure.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdint>

namespace forkloom::execution::sys {

#if !defined(__x86_64__)
#error "Forkloom runs on x86-64 Linux"
#endif

inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) noexcept {
  long result = 0;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

template <class T>
long address(const T* pointer) noexcept {
  return reinterpret_cast<long>(pointer);  // NOLINT: the kernel takes pointers as longs
}

inline long futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  return call(SYS_futex, address(&word), FUTEX_WAIT, expected, 0);
}

inline long futex_wake(const std::atomic<std::uint32_t>& word) noexcept {
  return call(SYS_futex, address(&word), FUTEX_WAKE, 1);
}

// Would the kernel find a string at that address, or does it end in EFAULT?
inline bool has_text(const void* text) noexcept {
  constexpr long bad_address = -14;  // EFAULT
  return call(SYS_faccessat, -100 /* AT_FDCWD */, address(text), 0) != bad_address;
}

}  // namespace forkloom::execution::sys

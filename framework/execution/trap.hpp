// System calls that pass no intercepted symbol: made inside libc (stdio, its locks), or inline in
// the program. Linux hands them over by syscall user dispatch (Linux 5.11; the kernel's
// Documentation/admin-guide/syscall-user-dispatch.rst): it is a thread's own, ends with exec, looks
// at a byte of the thread's to tell whether to trap, and never traps calls made from Forkloom's
// text. A trap is a SIGSYS, handled on the caller's stack, as an intercepted call would be.
// Async-signal-safe.
#pragma once

#include <array>

namespace forkloom::execution {

struct system_call {
  long number = 0;
  std::array<long, 6> arguments{};
  const void* site = nullptr;  // where it returns to
};

// Makes the call as it is. The kernel's result: a negative errno on failure.
[[nodiscard]] long perform(const system_call& call) noexcept;

// Answers a trapped call, as the kernel would. The families do; see intercept/raw.cpp.
[[nodiscard]] long answer_trapped(const system_call& call) noexcept;

// From now on calls of this thread trap whenever trap_selector says so. False if the kernel cannot
// do it. A fork does not inherit it.
[[nodiscard]] bool arm_trap() noexcept;

inline constexpr unsigned char trap_off = 0;  // SYSCALL_DISPATCH_FILTER_ALLOW
inline constexpr unsigned char trap_on = 1;   // SYSCALL_DISPATCH_FILTER_BLOCK
[[gnu::tls_model("initial-exec")]] extern constinit thread_local unsigned char trap_selector;

// What the selector is in the program's own code: on, once the thread is a task.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local unsigned char trap_in_program;

// While one lives, this thread's calls go to the kernel at no cost.
class trap_pause {
 public:
  trap_pause() noexcept : before_(trap_selector) { trap_selector = trap_off; }
  ~trap_pause() { trap_selector = before_; }
  trap_pause(const trap_pause&) = delete;
  trap_pause& operator=(const trap_pause&) = delete;

 private:
  unsigned char before_;
};

// While one lives, calls trap as in the program's own code, which may run within one of Forkloom's:
// handlers of signals do. And so do calls of libc's that must be put right in the kernel.
class trap_resumption {
 public:
  trap_resumption() noexcept : before_(trap_selector) { trap_selector = trap_in_program; }
  ~trap_resumption() { trap_selector = before_; }
  trap_resumption(const trap_resumption&) = delete;
  trap_resumption& operator=(const trap_resumption&) = delete;

 private:
  unsigned char before_;
};

}  // namespace forkloom::execution

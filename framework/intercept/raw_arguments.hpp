// The arguments and results of system calls by number, and of libc's functions that they stand for.
// Async-signal-safe, where those functions are.
#pragma once

#include <signal.h>

#include <cerrno>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "framework/execution/sys.hpp"
#include "framework/intercept/raw.hpp"
#include "framework/intercept/user_memory.hpp"

namespace forkloom::intercept {

template <class T>
[[nodiscard]] T as(long argument) noexcept {
  if constexpr (std::is_pointer_v<T>)
    return reinterpret_cast<T>(argument);  // NOLINT: arguments are numbers
  else
    return static_cast<T>(argument);
}

// A result of libc's as the kernel would have it.
template <class Result>
[[nodiscard]] long kernels(Result result) noexcept {
  long value = 0;
  if constexpr (std::is_pointer_v<Result>)
    value = execution::sys::address(static_cast<const char*>(result));
  else
    value = static_cast<long>(result);
  return value == -1 ? -errno : value;
}

// The function, with the call's arguments one by one.
template <auto Function>
struct same_arguments;
template <class Result, class... Arguments, bool NoExcept,
          Result (*Function)(Arguments...) noexcept(NoExcept)>
struct same_arguments<Function> {
  static long answer(const system_call& call) noexcept {
    return with(call, std::index_sequence_for<Arguments...>{});
  }
  template <std::size_t... Which>
  static long with(const system_call& call, std::index_sequence<Which...>) noexcept {
    return kernels(Function(as<Arguments>(call.arguments[Which])...));
  }
};
template <auto Function>
constexpr answer same = &same_arguments<Function>::answer;

// The call and its arguments, for those that are written out.
struct arguments {
  const system_call& call;
  template <class T = int>
  [[nodiscard]] T get(std::size_t which) const noexcept {
    return as<T>(call.arguments[which]);
  }
};

// A set of signals is eight bytes long for the kernel, and more for libc.
class signals_at {
 public:
  explicit signals_at(long address) noexcept {
    sigemptyset(&set_);
    if (address != 0) there_ = copy_from_user(&set_, address, sizeof(std::uint64_t));
  }
  [[nodiscard]] bool fault() const noexcept { return !there_; }
  [[nodiscard]] const sigset_t* get() const noexcept { return &set_; }

 private:
  sigset_t set_{};
  bool there_ = true;
};

}  // namespace forkloom::intercept

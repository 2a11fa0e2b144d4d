// The definition that an intercepted function hides: libc's, or a sanitizer's.
#pragma once

#include <dlfcn.h>

#include <atomic>

#include "framework/execution/trap.hpp"

namespace forkloom::intercept {

template <class Function>
class next;

// A function found behind this library in the search order, looked up on its first call. Constant-
// initialised, so it works before any constructor has run. The look-up may race with itself
// harmlessly: every thread finds the same address.
template <class Result, class... Arguments, bool NoExcept>
class next<Result(Arguments...) noexcept(NoExcept)> {
 public:
  // version: the symbol version to ask for, where the unversioned look-up would find an old ABI.
  explicit constexpr next(const char* name, const char* version = nullptr) noexcept
      : name_(name), version_(version) {}

  // What it does does not trap. Whatever calls the user's functions (call_once, atexit) must use
  // get(), so that theirs do.
  Result operator()(Arguments... arguments) const {
    const auto real = get();
    const execution::trap_pause not_ours;
    return real(arguments...);
  }

  // For what must be put right in the kernel, which traps do: actions of signals.
  Result trapped(Arguments... arguments) const {
    const auto real = get();
    const execution::trap_resumption traps;
    return real(arguments...);
  }

  using pointer = Result (*)(Arguments...);
  [[nodiscard]] pointer get() const noexcept {
    auto* found = found_.load(std::memory_order_relaxed);
    if (found == nullptr) {
      auto* symbol = version_ != nullptr ? dlvsym(RTLD_NEXT, name_, version_) : nullptr;
      if (symbol == nullptr) symbol = dlsym(RTLD_NEXT, name_);
      found = reinterpret_cast<pointer>(symbol);  // NOLINT: what dlsym is for
      found_.store(found, std::memory_order_relaxed);
    }
    return found;
  }

 private:
  const char* name_;
  const char* version_;
  mutable std::atomic<pointer> found_{nullptr};
};

}  // namespace forkloom::intercept

// Sets of signals, in libc's form and in the kernel's, and what is done to signals past libc. Async-signal-safe.
#pragma once

#include <signal.h>

#include <cstring>

#include "framework/execution/arena.hpp"

namespace forkloom::intercept {

// The kernel reads the first word of libc's set.
[[nodiscard]] inline execution::signal_set to_kernel(const sigset_t& set) noexcept {
  execution::signal_set word = 0;
  std::memcpy(&word, &set, sizeof word);
  return word;
}

[[nodiscard]] inline sigset_t to_libc(execution::signal_set word) noexcept {
  sigset_t set{};
  std::memcpy(&set, &word, sizeof word);
  return set;
}

// The action of that signal has been changed past libc.
void action_changed(int signal) noexcept;

}  // namespace forkloom::intercept

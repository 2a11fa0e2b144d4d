// Sets of signals, in libc's form and in the kernel's, and what is done to signals past libc.
// Async-signal-safe.
#pragma once

#include <signal.h>

#include <cstring>

#include "framework/execution/call.hpp"
#include "framework/intercept/user_memory.hpp"

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

// Until the call ends, that mask takes the place of the task's own; null changes nothing. False if
// the mask is not there: EFAULT, as the kernel has it.
[[nodiscard]] inline bool take_mask(execution::controlled_call& call,
                                    const sigset_t* mask) noexcept {
  if (mask == nullptr) return true;
  execution::signal_set word = 0;
  if (!copy_from_user(&word, execution::sys::address(mask), sizeof word)) return false;
  call.mask_signals(word);
  return true;
}

// The action of that signal has been changed past libc.
void action_changed(int signal) noexcept;

}  // namespace forkloom::intercept

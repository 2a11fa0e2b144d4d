// What of a thread's signals must stay Forkloom's, so that trapped calls can be handled: SIGSYS is
// never blocked and never loses its handler, and the program's handlers return through Forkloom's
// text, which costs them no trap. They also begin there, so that each delivery is written down.
// Whoever changes masks or actions in the kernel for a task does it through these, or calls
// keep_sigsys_open() afterwards. Async-signal-safe; results are the kernel's own, negative errno on
// failure.
#pragma once

#include <signal.h>

#include <cstddef>
#include <cstdint>

// The sa_restorer of handlers under control.
extern "C" void forkloom_restore();

namespace forkloom::execution {

// A mask without SIGSYS, for the kernel.
[[nodiscard]] constexpr std::uint64_t without_sigsys(std::uint64_t mask) noexcept {
  return mask & ~(std::uint64_t{1} << (SIGSYS - 1));
}

// Unblocks SIGSYS for the calling thread.
void keep_sigsys_open() noexcept;

// rt_sigprocmask(2). The mask then has no SIGSYS.
[[nodiscard]] long change_mask(int how, const void* set, void* old, std::size_t size) noexcept;

// rt_sigaction(2), with the kernel's structures. The action of SIGSYS is only kept, for signals
// that are no traps.
[[nodiscard]] long change_action(int signal, const void* action, void* old,
                                 std::size_t size) noexcept;

// Is that handler, as the kernel has it, one that writes down each delivery when it begins? One
// that was there before the process was a task is not.
[[nodiscard]] bool tells_its_deliveries(std::uint64_t handler) noexcept;

// Makes that the handler of SIGSYS; the action before is kept as the program's.
void install_sigsys(void (*handler)(int, siginfo_t*, void*)) noexcept;

// A SIGSYS that is no trap has come: the program's action has its turn.
void deliver_foreign_sigsys(siginfo_t* info, void* context) noexcept;

}  // namespace forkloom::execution

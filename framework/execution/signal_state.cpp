#include "framework/execution/signal_state.hpp"

#include <array>

#include "framework/execution/call.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

// What rt_sigaction(2) takes.
struct kernel_action {
  void* handler = nullptr;  // SIG_DFL, SIG_IGN, or a function of either form
  unsigned long flags = 0;
  void (*restorer)() = nullptr;
  std::uint64_t mask = 0;
};

constexpr unsigned long has_restorer = 0x0400'0000;  // SA_RESTORER

// Of this process: the action of SIGSYS as the program knows it, and the one that is in force.
constinit kernel_action programs_own;
constinit kernel_action in_force;

// Of this process: what take_signal() stands for in the kernel. libc's own signals are not in it.
struct program_handler {
  void* function = nullptr;
  unsigned long flags = 0;
};
constinit std::array<program_handler, signals::count + 1> programs_handlers{};

// The x86-64 ABI passes three arguments to a handler of one like any other, and what it ignores the
// kernel gives it as well. Nothing is left on the stack: the handler may unwind, or never return.
void take_signal(int signal, siginfo_t* info, void* context) {
  const auto [function, flags] = programs_handlers[static_cast<std::size_t>(signal)];
  if (controlled()) signals::delivered(*current_arena(), self(), signal, flags);
  reinterpret_cast<void (*)(int, siginfo_t*, void*)>(function)(signal, info, context);  // NOLINT
}

void* const told_to_kernel = reinterpret_cast<void*>(&take_signal);  // NOLINT: as the kernel has it

bool is_function(const kernel_action& action) noexcept {
  return sys::address(static_cast<char*>(action.handler)) > 1;  // not SIG_DFL, SIG_IGN
}

// For pthread_cancel and setuid.
bool is_libcs_own(int signal) noexcept { return signal == 32 || signal == 33; }

long exchange(int signal, const kernel_action* next, kernel_action* last) noexcept {
  return sys::call(SYS_rt_sigaction, signal, sys::address(next), sys::address(last),
                   sizeof(std::uint64_t));
}

}  // namespace

void keep_sigsys_open() noexcept {
  constexpr std::uint64_t sigsys = ~without_sigsys(~std::uint64_t{0});
  sys::call(SYS_rt_sigprocmask, SIG_UNBLOCK, sys::address(&sigsys), 0, sizeof sigsys);
}

// The call is made as it is, so that the kernel judges the pointers, and is then put right.
long change_mask(int how, const void* set, void* old, std::size_t size) noexcept {
  const auto result =
      sys::call(SYS_rt_sigprocmask, how, sys::address(static_cast<const char*>(set)),
                sys::address(static_cast<char*>(old)), static_cast<long>(size));
  if (set != nullptr && how != SIG_UNBLOCK) keep_sigsys_open();
  return result;
}

long change_action(int signal, const void* action, void* old, std::size_t size) noexcept {
  const bool is_ours = signal == SIGSYS && is_function(in_force);
  if (is_ours) exchange(SIGSYS, &programs_own, nullptr);
  const auto result =
      sys::call(SYS_rt_sigaction, signal, sys::address(static_cast<const char*>(action)),
                sys::address(static_cast<char*>(old)), static_cast<long>(size));
  if (is_ours) {
    exchange(SIGSYS, &in_force, &programs_own);
    return result;
  }
  if (result != 0) return result;
  auto& own = programs_handlers[static_cast<std::size_t>(signal)];
  if (auto* before = static_cast<kernel_action*>(old);
      before != nullptr && before->handler == told_to_kernel)
    before->handler = own.function;
  kernel_action now;
  if (action == nullptr || exchange(signal, nullptr, &now) != 0 || !is_function(now)) return result;
  now.flags |= has_restorer;
  now.restorer = &forkloom_restore;
  now.mask = without_sigsys(now.mask);
  // One that was read where nothing traps is ours, and is put back.
  if (now.handler != told_to_kernel) own.function = now.handler;
  own.flags = now.flags;
  if (!is_libcs_own(signal)) now.handler = told_to_kernel;
  exchange(signal, &now, nullptr);
  return result;
}

bool tells_its_deliveries(std::uint64_t handler) noexcept {
  return handler == reinterpret_cast<std::uint64_t>(told_to_kernel);  // NOLINT: kept as a number
}

void install_sigsys(void (*handler)(int, siginfo_t*, void*)) noexcept {
  const kernel_action ours{.handler = reinterpret_cast<void*>(handler),  // NOLINT: see above
                           .flags = SA_SIGINFO | SA_NODEFER | has_restorer,
                           .restorer = &forkloom_restore,
                           .mask = 0};
  kernel_action before;
  exchange(SIGSYS, &ours, &before);
  if (before.handler != ours.handler) programs_own = before;
  in_force = ours;
  keep_sigsys_open();
}

void deliver_foreign_sigsys(siginfo_t* info, void* context) noexcept {
  if (is_function(programs_own)) {
    if ((programs_own.flags & SA_SIGINFO) != 0)
      return reinterpret_cast<void (*)(int, siginfo_t*, void*)>(  // NOLINT
          programs_own.handler)(SIGSYS, info, context);
    return reinterpret_cast<void (*)(int)>(programs_own.handler)(SIGSYS);  // NOLINT
  }
  if (programs_own.handler != nullptr) return;  // ignored
  exchange(SIGSYS, &programs_own, nullptr);
  sys::call(SYS_tgkill, sys::call(SYS_getpid), sys::call(SYS_gettid), SIGSYS);
}

}  // namespace forkloom::execution

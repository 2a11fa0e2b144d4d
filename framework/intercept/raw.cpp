// syscall(2), and the calls that trap (framework/execution/trap.hpp).
//
// Resource, blocks, releases: those of the function that the number stands for; see raw_table.cpp.
// Async-signal-safe, where that function is.
#include "framework/intercept/raw.hpp"

#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/loaded_modules.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/execution/signal_state.hpp"
#include "framework/execution/signals.hpp"
#include "framework/intercept/sanitizer_runtime.hpp"
#include "framework/intercept/signal_set.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::perform;

const void* pointer(long argument) noexcept {
  return reinterpret_cast<const void*>(argument);  // NOLINT: arguments are numbers
}

// Part of a library that the dynamic linker loads?
bool maps_code(const system_call& call) noexcept {
  return call.number == SYS_mmap && (call.arguments[2] & PROT_EXEC) != 0 &&
         (call.arguments[3] & MAP_ANONYMOUS) == 0;
}

// libc maps memory of its own all the time. Only where shared mappings come or go must they be
// looked up anew; that libc's are never unmapped is no leak of the program's.
long answer_mapping(const system_call& call) noexcept {
  const bool replaces = call.number == SYS_mmap && (call.arguments[3] & (MAP_SHARED | MAP_FIXED));
  const bool removes = call.number != SYS_mmap && execution::is_shared(pointer(call.arguments[0]));
  const auto result = perform(call);
  if (replaces || removes) execution::forget_mappings();
  if (maps_code(call)) execution::code_was_mapped();
  return result;
}

// What the handling of traps itself depends on; true if that was the call.
bool answer_signal_state(const system_call& call, long& result) noexcept {
  const auto& a = call.arguments;
  auto* old = const_cast<void*>(pointer(a[2]));  // NOLINT: the kernel writes there
  const auto size = static_cast<std::size_t>(a[3]);
  switch (call.number) {
    case SYS_rt_sigprocmask:
      result = execution::change_mask(static_cast<int>(a[0]), pointer(a[1]), old, size);
      if (controlled())
        execution::signals::mask_changed(*execution::current_arena(), execution::self());
      return true;
    case SYS_rt_sigaction:
      result = execution::change_action(static_cast<int>(a[0]), pointer(a[1]), old, size);
      if (controlled() && a[1] != 0) action_changed(static_cast<int>(a[0]));
      return true;
    case SYS_prctl:
      if (a[0] != PR_SET_SYSCALL_USER_DISPATCH) return false;
      execution::note_uncontrolled("PR_SET_SYSCALL_USER_DISPATCH", call.site);
      result = -EINVAL;
      return true;
    default:
      return false;
  }
}

}  // namespace

long dispatch(const system_call& call) noexcept {
  const auto known = answer_for(call.number);
  if (known == nullptr) return perform(call);
  const execution::called_from site(call.site);
  return known(call);
}

}  // namespace forkloom::intercept

long forkloom::execution::answer_trapped(const system_call& call) noexcept {
  using namespace intercept;  // NOLINT: the families answer
  long result = 0;
  if (answer_signal_state(call, result)) return result;
  if (!controlled() || in_sanitizer_runtime(call.site)) return perform(call);
  switch (call.number) {
    case SYS_mmap:
    case SYS_mremap:
    case SYS_munmap:
      return answer_mapping(call);
    default:
      return dispatch(call);
  }
}

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// Six arguments are taken whatever the number needs, as libc's own does.
long syscall(long number, ...) noexcept {
  system_call call{.number = number, .arguments = {}, .site = __builtin_return_address(0)};
  va_list arguments;
  va_start(arguments, number);
  for (auto& argument : call.arguments) argument = va_arg(arguments, long);
  va_end(arguments);
  const auto error = errno;
  long result = 0;
  if (!controlled() || !answer_signal_state(call, result))
    result = controlled() ? dispatch(call) : perform(call);
  const bool failed = result < 0 && result >= -4095;
  errno = failed ? static_cast<int>(-result) : error;
  return failed ? -1 : result;
}

}  // extern "C"

// What a process says of itself: prctl(2).
//
// Resource, blocks, releases: none; that a signal follows the death of the parent is that death's
// doing (execution/parent_death.hpp).
// The processes that a scenario declares die with Forkloom's worker. Their own parent lives longer
// than they do, so it makes no difference to them that their wish is only remembered.
#include <signal.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstdarg>

#include "framework/execution/call.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;

using number = unsigned long;
constinit next<int(int, number, number, number, number)> real_prctl{"prctl"};

int& wish() noexcept {
  auto& a = *execution::current_arena();
  return a.details[index(a[execution::self()].process)].parent_death_signal;
}

bool has_parent() noexcept {
  const auto& a = *execution::current_arena();
  return a[a[execution::self()].process].parent != no_task;
}

int set_death_signal(number signal) noexcept {
  if (signal >= NSIG) {
    errno = EINVAL;
    return -1;
  }
  if (has_parent() && real_prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0) return -1;
  wish() = static_cast<int>(signal);
  return 0;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int prctl(int option, ...) noexcept {  // NOLINT: variadic in its declaration
  va_list arguments;
  va_start(arguments, option);
  const auto a = va_arg(arguments, number);  // NOLINT
  const auto b = va_arg(arguments, number);  // NOLINT
  const auto c = va_arg(arguments, number);  // NOLINT
  const auto d = va_arg(arguments, number);  // NOLINT
  va_end(arguments);
  if (controlled() && option == PR_SET_PDEATHSIG) return set_death_signal(a);
  const auto result = real_prctl(option, a, b, c, d);
  if (controlled() && option == PR_GET_PDEATHSIG && result == 0)
    *reinterpret_cast<int*>(a) = wish();  // NOLINT: as prctl(2) has it
  return result;
}

}  // extern "C"

#include "framework/execution/task_life.hpp"

#include <cstdio>

#include "framework/execution/call.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::execution {

void announce_exit() noexcept {
  auto& a = *current_arena();
  const auto parent = a[self()].parent;
  const controlled_call point{operation::exit, children_of(a, parent), __builtin_return_address(0)};
  a[self()].body_returned = true;
}

void leave_body(int code) noexcept {
  std::fflush(nullptr);
  if (controlled()) announce_exit();
  sys::call(SYS_exit_group, code);
  __builtin_unreachable();
}

}  // namespace forkloom::execution

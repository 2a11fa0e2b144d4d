#include "framework/execution/stack.hpp"

#include <unwind.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace forkloom::execution {
namespace {

struct walk {
  std::span<std::uint64_t> frames;
  std::size_t depth;
};

_Unwind_Reason_Code visit(_Unwind_Context* context, void* data) noexcept {
  auto& w = *static_cast<walk*>(data);
  if (w.depth == w.frames.size()) return _URC_END_OF_STACK;
  w.frames[w.depth++] = _Unwind_GetIP(context);
  return _URC_NO_REASON;
}

}  // namespace

std::uint32_t record_stack(arena& a) noexcept {
  if (a.stack_count == stack_capacity) return 0;
  walk_stack(a.stacks[a.stack_count++]);
  return a.stack_count;
}

void walk_stack(std::span<std::uint64_t> frames) noexcept {
  std::fill(frames.begin(), frames.end(), 0);
  walk w{frames, 0};
  _Unwind_Backtrace(visit, &w);
}

void warm_up_stacks() noexcept {
  std::array<std::uint64_t, stack_depth> frames;  // NOLINT: walk_stack() fills it
  walk_stack(frames);
}

}  // namespace forkloom::execution

// Blocks that should be atomic: whatever others do, the result is as if each block had run at once,
// one after the other. Forkloom does not make it so; it checks (docs/checkers.md, atomicity).
//
//   forkloom::atomically("transfer", [&] {
//     from = from - amount;
//     to = to + amount;
//   });
//
// Only accesses that Forkloom sees count: shared<T>, forkloom::memory and instrumented code.
// Process-safety: any task may call these. Outside of an execution they do nothing.
#pragma once

#include <string_view>
#include <utility>

namespace forkloom {

// The rest of the scope is such a block. name: for reports; blocks of one name are told once. A
// block within a block belongs to the outer one.
class atomic_block {
 public:
  explicit atomic_block(std::string_view name) noexcept;
  ~atomic_block();
  atomic_block(const atomic_block&) = delete;
  atomic_block& operator=(const atomic_block&) = delete;
};

// Runs body() as such a block. Returns what it returns, and lets pass what it throws.
template <class Body>
decltype(auto) atomically(std::string_view name, Body&& body) {
  const atomic_block block(name);
  return std::forward<Body>(body)();
}

}  // namespace forkloom

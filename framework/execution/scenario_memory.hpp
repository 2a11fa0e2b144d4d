// The memory that shared<T>() and make<T>() hand out: one shared mapping, handed out from the front
// and taken back as a whole after each execution, so that the same declaration gets the same place.
#pragma once

#include <cstddef>

namespace forkloom::execution {

class scenario_memory {
 public:
  static constexpr std::size_t capacity = std::size_t{256} << 20;  // bytes; used pages count only

  // Throws std::system_error if it cannot be mapped.
  scenario_memory();
  ~scenario_memory();
  scenario_memory(const scenario_memory&) = delete;
  scenario_memory& operator=(const scenario_memory&) = delete;

  // Zeroed memory. Throws std::bad_alloc if the capacity is used up.
  [[nodiscard]] void* allocate(std::size_t size, std::size_t alignment);

  // Everything is free again, and zero.
  void reset() noexcept;

 private:
  std::byte* base_;
  std::size_t used_ = 0;
};

}  // namespace forkloom::execution

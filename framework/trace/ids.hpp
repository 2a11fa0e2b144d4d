// Strong names for the numbers that identify things in one execution. They are dense, start at zero
// and follow the order of first use, so they are the same in every run of the same schedule.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forkloom {

enum class task_id : std::uint16_t {};
enum class resource_id : std::uint32_t {};

inline constexpr task_id no_task{0xffff};
inline constexpr resource_id no_resource{0xffff'ffff};

[[nodiscard]] constexpr std::size_t index(task_id task) noexcept {
  return static_cast<std::size_t>(task);
}
[[nodiscard]] constexpr std::size_t index(resource_id resource) noexcept {
  return static_cast<std::size_t>(resource);
}

}  // namespace forkloom

// Where the operations of an execution meet: a number for each place that can be touched. Mostly it
// is the resource's; but objects in shared memory whose bytes overlap are one place, and so are all
// record locks, because the kernel looks for circles among all who wait for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom::explore {

class places {
 public:
  explicit places(const trace& what);

  // Requires a resource of the trace.
  [[nodiscard]] std::uint32_t of(resource_id resource) const { return of_[index(resource)]; }

  // Its process as a whole, which ends with all its threads.
  [[nodiscard]] std::uint32_t life_of(task_id process) const noexcept {
    return lives_ + static_cast<std::uint32_t>(index(process));
  }

  // What a fork of the process copies: its memory, its descriptors, its mappings.
  [[nodiscard]] std::uint32_t copied_from(task_id process) const noexcept {
    return copies_ + static_cast<std::uint32_t>(index(process));
  }

 private:
  void join_overlapping(const trace& what);

  std::vector<std::uint32_t> of_;  // by resource
  std::uint32_t lives_ = 0;
  std::uint32_t copies_ = 0;
};

}  // namespace forkloom::explore

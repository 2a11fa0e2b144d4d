// An execution as blocks: stretches in which one task ran. To move a block beside another one of
// its task takes a switch away, and mostly a preemption.
#pragma once

#include <cstddef>
#include <vector>

#include "framework/trace/schedule.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::shrink {

// One step of a block.
struct block_step {
  bool forced = false;                // the usual pick would have been another task
  std::vector<scheduled_draw> draws;  // made in it, not 0; their step means nothing
};

struct block {
  task_id task = no_task;
  std::vector<block_step> steps;
};

// Requires pick kinds.
[[nodiscard]] std::vector<block> blocks_of(const trace& what);

// The schedule that runs these blocks one after the other, as far as tasks can.
[[nodiscard]] schedule schedule_of(const std::vector<block>& blocks);

// Blocks [first, first + count) each become the beginning of the next block of their task behind
// them; where there is none, they are left out.
[[nodiscard]] std::vector<block> delayed(std::vector<block> blocks, std::size_t first,
                                         std::size_t count);

// The block becomes the end of the last block of its task before it. Empty if there is none.
[[nodiscard]] std::vector<block> advanced(std::vector<block> blocks, std::size_t which);

}  // namespace forkloom::shrink

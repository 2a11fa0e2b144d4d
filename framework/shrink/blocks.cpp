#include "framework/shrink/blocks.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace forkloom::shrink {
namespace {

void append(std::vector<block_step>& to, std::vector<block_step> steps) {
  to.insert(to.end(), std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
}

}  // namespace

std::vector<block> blocks_of(const trace& what) {
  std::vector<block> made;
  auto draw = what.draws.begin();
  for (std::uint32_t i = 0; i < what.schedule.size(); ++i) {
    if (made.empty() || made.back().task != what.schedule[i])
      made.push_back({what.schedule[i], {}});
    auto& step = made.back().steps.emplace_back();
    step.forced = what.pick_kinds[i] != pick_kind::usual;
    // Draws of its number are made when that many picks have been: by the last of them.
    for (; draw != what.draws.end() && draw->step <= i + 1; ++draw)
      if (draw->value != 0) step.draws.push_back({draw->step, draw->nth, draw->value});
  }
  return made;
}

schedule schedule_of(const std::vector<block>& blocks) {
  schedule made;
  std::uint32_t at = 0;
  for (const auto& b : blocks)
    for (std::size_t i = 0; i < b.steps.size(); ++i) {
      if (i == 0 || b.steps[i].forced) made.picks.push_back({at, b.task});
      ++at;
      for (const auto& draw : b.steps[i].draws) made.draws.push_back({at, draw.nth, draw.value});
    }
  return made;
}

std::vector<block> delayed(std::vector<block> blocks, std::size_t first, std::size_t count) {
  const auto end = std::min(first + count, blocks.size());
  for (auto i = first; i < end; ++i) {
    const auto next = std::find_if(blocks.begin() + static_cast<std::ptrdiff_t>(end), blocks.end(),
                                   [&](const block& b) { return b.task == blocks[i].task; });
    if (next == blocks.end()) continue;
    // Several of one task keep their order.
    auto steps = std::move(blocks[i].steps);
    for (auto j = i + 1; j < end; ++j)
      if (blocks[j].task == blocks[i].task) append(steps, std::exchange(blocks[j].steps, {}));
    append(steps, std::move(next->steps));
    next->steps = std::move(steps);
  }
  blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(first),
               blocks.begin() + static_cast<std::ptrdiff_t>(end));
  return blocks;
}

std::vector<block> advanced(std::vector<block> blocks, std::size_t which) {
  for (auto i = which; i-- > 0;) {
    if (blocks[i].task != blocks[which].task) continue;
    append(blocks[i].steps, std::move(blocks[which].steps));
    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(which));
    return blocks;
  }
  return {};
}

}  // namespace forkloom::shrink
